# SPDX-License-Identifier: Apache-2.0
"""The results as text, for a terminal."""

import bars as targets
import figures

# Metrics in the order of their columns: name, heading, unit divisor, format.
COLUMNS = (
    ('rate', 'M/s', 1e6, '%.3f'),
    ('cpu_ns', 'ns/packet', 1, '%.0f'),
    ('busy', 'busy', 1, '%.2f'),
    ('loss', 'lost', .01, '%.1f%%'),
    ('p50_us', 'p50 us', 1, '%.1f'),
    ('p99_us', 'p99 us', 1, '%.1f'),
    ('gbit', 'Gbit/s', 1, '%.2f'),
    ('cpu_per_gb', 'CPU s/GB', 1, '%.3f'),
    ('per_second', 'per second', 1, '%.0f'),
    ('cpu_us', 'CPU us', 1, '%.1f'),
    ('drain_us', 'us', 1, '%.0f'),
    ('rss_rest', 'KiB rest', 1024, '%.0f'),
    ('rss_load', 'KiB load', 1024, '%.0f'),
)


def columns(block):
    present = {metric for samples in block.values() for s in samples
               for metric in s}
    return [c for c in COLUMNS if c[0] in present]


def cell(samples, column):
    """(median, half the spread) as text."""
    metric, _, unit, form = column
    value = figures.median(samples, metric)
    if value is None:
        return '-', ''
    low, high = figures.spread(samples, metric)
    return form % (value / unit), '%s to %s' % (form % (low / unit),
                                                form % (high / unit))


def print_block(name, block):
    heads = columns(block)
    if not heads:
        return
    width = max(len(who) for who in block)
    print('\n%s' % name)
    print('  ' + ' ' * width + ''.join('%12s' % c[1] for c in heads) +
          '   quartiles of ' + heads[0][1])
    for who, samples in block.items():
        if samples:
            print('  %-*s' % (width, who) +
                  ''.join('%12s' % cell(samples, c)[0] for c in heads) +
                  '   ' + cell(samples, heads[0])[1])


NAMES = {'rate': 'packets/s', 'cpu_ns': 'CPU per packet',
         'p50_us': 'median latency', 'gbit': 'Gbit/s', 'drain_us': 'time'}


def describe_bar(bar):
    return '%s: %s%s' % (NAMES[bar['metric']], bar['over'],
                           ' / ' + bar['under'] if bar['under'] else '')


def print_bars(bars):
    if not bars:
        return
    print('\nTargets: median of the ratios of pairs, 95 % interval')
    for bar in bars:
        print('  %-8s %9.3f  [%.3f, %.3f] of %2d  %s %-5g %s: %s' % (
            targets.verdict(bar), bar['value'], bar['low'],
            bar['high'], bar['pairs'], bar['sign'], bar['bar'], bar['block'],
            describe_bar(bar)))


def print_all(results):
    for name, block in results['samples'].items():
        print_block(name, block)
    print_bars(results['bars'])
    for heading, lines in (('Missing', results['missing']),
                           ('Notes', results['notes'])):
        if lines:
            print('\n%s' % heading)
        for line in lines:
            print('  ' + line)
