# SPDX-License-Identifier: Apache-2.0
"""What changed between two runs, beyond the noise.

Machines differ from hour to hour, so a contender is compared by its ratio to
the floor of its block, where there is one, and only figures of fdlink are.
A change counts if the 95 % intervals of the medians are apart and the medians
differ by more than 5 %, or, without a floor, by more than 30 %.
"""

import statistics

import bars
import figures

# Metrics that say how good a contender is, by the first word of a block.
METRICS = {
    'rx': ('rate', 'cpu_ns', 'rss_load'),
    'backlog': ('cpu_ns',),
    'lone': ('p50_us', 'p99_us'),
    'queues': ('drain_us',),
    'tx': ('rate', 'cpu_ns'),
    'tcp': ('gbit', 'cpu_per_gb', 'p50_us', 'p99_us', 'per_second'),
    'wire': ('gbit', 'cpu_per_gb', 'rate', 'cpu_ns', 'p50_us'),
}
WITH_FLOOR, WITHOUT = 1.05, 1.3


def floor(name, who):
    kind = name.split('/')[0]
    if '/stream/' in name:
        return bars.SEQPACKET
    if kind == 'tx':
        return 'bare'
    if kind == 'tcp' or name in ('wire/tcp', 'wire/tunnel'):
        return bars.KERNEL
    if name == 'wire/big':
        return bars.WIRE_PACKET
    if kind == 'wire':
        return bars.BARE_HDR if who == bars.WIRE_HDR else bars.BARE
    if kind == 'queues':
        return '1 queue'
    if 'packet_mmap' in who:
        return 'bare V3 ring'
    return 'bare recv' if 'readv' in who else 'bare recvmmsg'


def ours(name, who):
    return 'fdlink' in who or name.startswith('queues/') and who != '1 queue'


def series(block, who, under, metric):
    """(numbers, whether they are ratios)."""
    if under in block and under != who and metric != 'rss_load':
        found = figures.ratios(block[who], block[under], metric)
        if found:
            return found, True
    return figures.values(block[who], metric), False


def changes(base, new):
    """Yield (worse, text) for each change."""
    for name, block in new.items():
        for who in block:
            if not ours(name, who) or who not in base.get(name, {}):
                continue
            for metric in METRICS[name.split('/')[0]]:
                found = change(name, who, metric, base[name], block)
                if found:
                    yield found


def change(name, who, metric, base, new):
    under = floor(name, who)
    old, old_ratio = series(base, who, under, metric)
    now, now_ratio = series(new, who, under, metric)
    if len(old) < 3 or len(now) < 3 or old_ratio != now_ratio:
        return None
    before, after = statistics.median(old), statistics.median(now)
    if not before or not after:
        return None
    (low0, high0), (low1, high1) = figures.interval(old), figures.interval(now)
    factor = after / before
    limit = WITH_FLOOR if now_ratio else WITHOUT
    if low1 <= high0 and low0 <= high1 or max(factor, 1 / factor) < limit:
        return None
    worse = (factor > 1) == (metric in figures.LESS)
    return worse, ('%-6s %s: %s of %s%s: %.4g [%.4g, %.4g] was %.4g '
                   '[%.4g, %.4g]' % (
                       'WORSE' if worse else 'better', name, metric, who,
                       ' / ' + under if now_ratio else '', after, low1, high1,
                       before, low0, high0))


def report(base, new):
    """Print all; the exit status: 1 if anything is worse."""
    shared = [n for n in new['samples'] if n in base['samples']]
    if not shared:
        print('bench-compare: the two runs have no block in common')
        return 2
    found = list(changes(base['samples'], new['samples']))
    for _, text in sorted(found, key=lambda c: not c[0]):
        print(text)
    worse = sum(1 for w, _ in found if w)
    print('%d blocks compared: %d figures worse, %d better, the others '
          'unchanged within the noise' %
          (len(shared), worse, len(found) - worse))
    for which, results in ('base', base), ('new', new):
        if results['quick']:
            print('The %s run was a quick one: its intervals are wide.' % which)
    return 1 if worse else 0
