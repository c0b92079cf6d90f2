# SPDX-License-Identifier: Apache-2.0
"""The figures of a run as Markdown, between two marks of a document."""

import bars as targets
import figures
import plan
import table

BEGIN, END = '<!-- figures -->', '<!-- end of figures -->'


def shown(samples, metric, unit, form):
    value = figures.median(samples, metric)
    return '-' if value is None else form % (value / unit)


def grid(head, rows):
    yield '| ' + ' | '.join(head) + ' |'
    yield '|' + '---|' * len(head)
    for row in rows:
        yield '| ' + ' | '.join(row) + ' |'
    yield ''


def contenders(blocks):
    """All of them, in the order of their first appearance."""
    return list(dict.fromkeys(who for block in blocks for who in block))


def across(samples, head, columns):
    """Contenders by columns of (title, block, metric, unit, form)."""
    columns = [c for c in columns if samples.get(c[1])]
    if not columns:
        return
    blocks = [samples[c[1]] for c in columns]
    yield from grid([head] + [c[0] for c in columns], (
        [who] + [shown(block.get(who, []), *c[2:])
                 for c, block in zip(columns, blocks)]
        for who in contenders(blocks)))


def part(title, *tables):
    found = [line for table in tables for line in table]
    if found:
        yield '### ' + title
        yield ''
        yield from found


def by_link_and_size(samples, metric, unit, form):
    return across(samples, '', [
        ('%s, %d' % (link, size), 'rx/%s/%d' % (link, size), metric, unit,
         form) for link in plan.LINKS for size in plan.SIZES])


def receive(samples):
    yield from part('Receiving: ns of CPU per packet',
                    by_link_and_size(samples, 'cpu_ns', 1, '%.0f'))
    yield from part('A stream beside a seqpacket pair: ns of CPU per packet', across(
        samples, '', [('%d' % size, 'rx/stream/%d' % size, 'cpu_ns', 1, '%.0f')
                      for size in plan.SIZES] + [
            ('%d x %d' % (size, batch), 'tx/stream/%d/%d' % (size, batch),
             'cpu_ns', 1, '%.0f')
            for size in plan.SIZES for batch in plan.BATCHES]))
    yield from part('Receiving: million packets per second',
                    by_link_and_size(samples, 'rate', 1e6, '%.2f'))
    yield from part(
        'Draining a backlog: ns of CPU per packet of 64 bytes',
        across(samples, '', [(link, 'backlog/%s/64' % link, 'cpu_ns', 1,
                              '%.0f') for link in plan.LINKS]))
    yield from part(
        'Memory: KiB resident, at rest and under load',
        across(samples, '', [
            (link + ' ' + name, 'rx/%s/1500' % link, metric, 1024, '%.0f')
            for link in plan.LINKS
            for name, metric in (('rest', 'rss_rest'), ('load', 'rss_load'))]))
    yield from part(
        'A backlog of 64 flows: µs',
        across(samples, '', [
            (name[len('queues/'):], name, 'drain_us', 1, '%.0f')
            for name in samples if name.startswith('queues/')]))


def send(samples):
    yield from part(
        'Sending: ns of CPU per packet, by bytes and batch',
        *(across(samples, link, [
            ('%d x %d' % (size, batch), 'tx/%s/%d/%d' % (link, size, batch),
             'cpu_ns', 1, '%.0f')
            for size in plan.SIZES for batch in plan.BATCHES])
          for link in plan.LINKS))


def lone(samples):
    columns = []
    for rate in [str(r) for r in plan.RATES] + ['saturated']:
        block = 'lone/veth/' + rate
        columns += [(rate + ' p50', block, 'p50_us', 1, '%.0f'),
                    ('p99', block, 'p99_us', 1, '%.0f'),
                    ('CPU', block, 'busy', .01, '%.1f%%')]
    yield from part('A packet alone: µs to the reader, p50 and p99, and CPU',
                    across(samples, 'packets/s', columns))


def tcp(samples):
    yield from part('TCP', across(samples, '', [
        ('in, Gbit/s', 'tcp/in', 'gbit', 1, '%.1f'),
        ('CPU s/GB', 'tcp/in', 'cpu_per_gb', 1, '%.3f'),
        ('out, Gbit/s', 'tcp/out', 'gbit', 1, '%.1f'),
        ('CPU s/GB', 'tcp/out', 'cpu_per_gb', 1, '%.3f'),
        ('16 in', 'tcp/in, 16 streams', 'gbit', 1, '%.1f'),
        ('16 out', 'tcp/out, 16 streams', 'gbit', 1, '%.1f'),
        ('ping p50, µs', 'tcp/ping', 'p50_us', 1, '%.0f'),
        ('p99', 'tcp/ping', 'p99_us', 1, '%.0f'),
        ('connections/s', 'tcp/connect', 'per_second', 1, '%.0f')]))


def wire(samples):
    yield from part('A wire: one TCP stream', across(samples, '', [
        ('Gbit/s', 'wire/tcp', 'gbit', 1, '%.1f'),
        ('CPU s/GB', 'wire/tcp', 'cpu_per_gb', 1, '%.3f')]))
    yield from part('A wire: one TCP stream in VXLAN', across(samples, '', [
        ('Gbit/s', 'wire/tunnel', 'gbit', 1, '%.1f'),
        ('CPU s/GB', 'wire/tunnel', 'cpu_per_gb', 1, '%.3f')]))
    yield from part('A wire: one TCP stream of packets of up to 180,000 bytes',
                    across(samples, '', [
                        ('Gbit/s', 'wire/big', 'gbit', 1, '%.1f'),
                        ('CPU s/GB', 'wire/big', 'cpu_per_gb', 1, '%.3f')]))
    yield from part('A wire: 64 bytes', across(samples, '', [
        ('million packets/s', 'wire/flood/64', 'rate', 1e6, '%.2f'),
        ('ns of CPU', 'wire/flood/64', 'cpu_ns', 1, '%.0f'),
        ('lone p50, µs', 'wire/lone/64', 'p50_us', 1, '%.1f'),
        ('p99', 'wire/lone/64', 'p99_us', 1, '%.1f'),
        ('ns of CPU', 'wire/lone/64', 'cpu_ns', 1, '%.0f')]))


def bars(results):
    yield from part('Targets', grid(
        ['block', 'ratio', 'median', '95 % interval', 'pairs', 'target', ''],
        ([b['block'], table.describe_bar(b), '%.3f' % b['value'],
          '%.3f to %.3f' % (b['low'], b['high']), str(b['pairs']),
          '%s %g' % (b['sign'], b['bar']), targets.verdict(b)]
         for b in results['bars'])))


def lines(results):
    m, v = results['machine'], results['versions']
    yield '%s, %s: %s, %d CPUs, %s, Linux %s; %s.' % (
        results['when'], 'a quick run' if results['quick'] else
        '%d minutes' % round(results['seconds'] / 60), m['cpu'], m['cpus'],
        m['system'], m['kernel'].split('-')[0],
        ', '.join('%s %s' % item for item in v.items() if item[1]))
    yield ''
    for text in results['missing'] + results['notes']:
        yield '- ' + text
    yield ''
    yield from bars(results)
    for group in receive, send, lone, tcp, wire:
        yield from group(results['samples'])


def update(text, results):
    before, found, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError('no marks for the figures')
    return '%s%s\n\n%s\n%s%s' % (before, BEGIN, '\n'.join(lines(results)), END,
                                 after)
