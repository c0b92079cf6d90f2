# SPDX-License-Identifier: Apache-2.0
"""Medians, spreads, and ratios of pairs with the interval of their median.

Results are a dict: samples[block][contender] is a list of rounds, each a dict
of metrics; round i of two contenders of a block is a pair.
"""

import math
import statistics

# Metrics of which less is better; of all others more is.
LESS = {'cpu_ns', 'p50_us', 'p99_us', 'cpu_per_gb', 'cpu_us', 'drain_us',
        'rss_rest', 'rss_load', 'loss'}


def values(samples, metric):
    return [s[metric] for s in samples if metric in s]


def median(samples, metric):
    """None where the metric was not measured."""
    found = values(samples, metric)
    return statistics.median(found) if found else None


def spread(samples, metric):
    """The quartiles, or the extremes of fewer than 4."""
    found = sorted(values(samples, metric))
    if len(found) < 4:
        return found[0], found[-1]
    low, _, high = statistics.quantiles(found, method='inclusive')
    return low, high


def interval(numbers):
    """The order statistics that enclose the median with 95 %, or all."""
    numbers = sorted(numbers)
    n = len(numbers)
    tail, k = 0.0, 0
    while k < n // 2:
        tail += math.comb(n, k) / 2 ** n
        if tail > 0.025:
            break
        k += 1
    k = max(k, 1)
    return numbers[k - 1], numbers[n - k]


def ratios(over, under, metric):
    return [a[metric] / b[metric] for a, b in zip(over, under)
            if a.get(metric) is not None and b.get(metric)]


def ratio(over, under, metric):
    """(median, low, high, pairs) or None."""
    found = ratios(over, under, metric)
    if not found:
        return None
    return (statistics.median(found),) + interval(found) + (len(found),)


def absolute(samples, metric):
    found = values(samples, metric)
    if not found:
        return None
    return (statistics.median(found),) + interval(found) + (len(found),)
