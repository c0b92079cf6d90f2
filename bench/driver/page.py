# SPDX-License-Identifier: Apache-2.0
"""The results as one page that needs nothing else, and one plot of them."""

import bars
import charts
import figures
import plan
import table
from charts import escape

NAMES = {'seqpacket': 'unix seqpacket pair', 'datagram': 'unix datagram pair',
         'veth': 'AF_PACKET on a veth', 'tap': 'TAP'}

STYLE = '''
:root { color-scheme: light dark; %s }
@media (prefers-color-scheme: dark) { :root { %s } }
body { background: var(--back); color: var(--text); margin: 2rem auto;
       max-width: 1180px; padding: 0 1rem;
       font: 15px/1.5 system-ui, sans-serif }
h1 { margin-bottom: 0 } h2 { margin-top: 2.5rem } p { max-width: 75ch }
.dim, figcaption { color: var(--dim) }
.grid { display: flex; flex-wrap: wrap; gap: 1.2rem 2rem }
figure { margin: 0 } svg { max-width: 100%%; height: auto }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums;
        font-size: 13px }
th, td { padding: .2rem .7rem; border-bottom: 1px solid var(--line);
         text-align: right; white-space: nowrap }
th:first-child, td:first-child, .left { text-align: left }
td.good { color: var(--good) } td.bad { color: var(--bad); font-weight: 600 }
.key span { margin-right: 1.2rem; white-space: nowrap }
.key i { display: inline-block; width: .8em; height: .8em; border-radius: 2px;
         margin-right: .4em; background: var(--c) }
''' % (charts.LIGHT, charts.DARK)


def rows(block, metric, unit=1):
    found = []
    for who, samples in block.items():
        value = figures.median(samples, metric)
        if value is not None:
            low, high = figures.spread(samples, metric)
            found.append((who, value / unit, low / unit, high / unit))
    return found


def figure(svg, caption=''):
    note = '<figcaption>%s</figcaption>' % escape(caption) if caption else ''
    return '<figure>%s%s</figure>' % (svg, note)


def bar_chart(block, metric, title, unit, scale=1):
    found = rows(block, metric, scale)
    return figure(charts.bars(found, title, unit)) if found else ''


def grid(parts):
    parts = [p for p in parts if p]
    return '<div class="grid">%s</div>' % ''.join(parts) if parts else ''


def section(title, text, *parts):
    body = ''.join(p for p in parts if p)
    return '<h2>%s</h2><p>%s</p>%s' % (title, text, body) if body else ''


def key():
    return '<p class="key">%s</p>' % ''.join(
        '<span class="%s"><i></i>%s</span>' % (kind, escape(name))
        for kind, name in charts.FAMILIES)


def bar_rows(results):
    for bar in results['bars']:
        what = table.describe_bar(bar)
        yield ('<tr><td>%s</td><td class="left">%s</td><td>%.3f</td>'
               '<td>%.3f to %.3f</td><td>%d</td><td>%s %g</td>'
               '<td class="%s">%s</td></tr>' % (
                   escape(bar['block']), escape(what), bar['value'],
                   bar['low'], bar['high'], bar['pairs'],
                   escape(bar['sign']), bar['bar'],
                   'good' if bar['holds'] else 'bad',
                   ('✓ ' if bar['holds'] else '✗ ') + bars.verdict(bar)))


def targets(results):
    if not results['bars']:
        return ''
    return ('<div class="scroll"><table><tr><th>Block<th class="left">Ratio'
            '<th>Median<th>95 % interval<th>Pairs<th>Target<th></tr>' +
            ''.join(bar_rows(results)) + '</table></div>')


def block_table(name, block):
    heads = table.columns(block)
    if not heads:
        return ''
    head = ''.join('<th>%s' % escape(c[1]) for c in heads)
    body = ''
    for who, samples in block.items():
        cells = ''.join('<td title="%s">%s</td>' %
                        table.cell(samples, c)[::-1] for c in heads)
        body += '<tr><td>%s</td>%s</tr>' % (escape(who), cells)
    return ('<h3>%s</h3><div class="scroll"><table><tr><th>%s</tr>%s</table>'
            '</div>' % (escape(name), head, body))


def receive(samples):
    cpu, plane = [], []
    for link in plan.LINKS:
        for size in plan.SIZES:
            block = samples.get('rx/%s/%d' % (link, size), {})
            cpu.append(bar_chart(
                block, 'cpu_ns', '%s, %d bytes' % (NAMES[link], size),
                'ns of CPU per packet'))
        block = samples.get('rx/%s/64' % link, {})
        points = [(who, figures.median(s, 'rate') / 1e6,
                   figures.median(s, 'cpu_ns'))
                  for who, s in block.items()
                  if figures.median(s, 'cpu_ns') and 'aux' not in who]
        if points:
            plane.append(figure(charts.scatter(
                points, NAMES[link], 'million packets per second',
                'ns of CPU per packet: ' + NAMES[link] + ', 64 bytes')))
    return section(
        'Receiving', 'One reader on one core, a feeder that never stops on '
        'the other. Bars are medians, whiskers the quartiles.', grid(cpu),
        '<h3>Rate against cost: right and low is good</h3>' if plane else '',
        grid(plane))


def send(samples):
    charts_ = []
    for link in plan.LINKS:
        for size in plan.SIZES:
            block = samples.get('tx/%s/%d/47' % (link, size), {})
            charts_.append(bar_chart(
                block, 'cpu_ns', '%s, %d bytes, batches of 47' %
                (NAMES[link], size), 'ns of CPU per packet'))
    return section('Sending', 'Frames are written into their buffers anew; '
                   'unix pairs are drained on the other core.', grid(charts_))


def lone_series(samples, metric, scale=1):
    series = {}
    for rate in plan.RATES:
        for who, s in samples.get('lone/veth/%d' % rate, {}).items():
            value = figures.median(s, metric)
            if value:
                series.setdefault(who, []).append((rate, value * scale))
    return series


def lone(samples):
    parts = []
    for metric, scale, name in (('p50_us', 1, 'median latency, µs'),
                                ('p99_us', 1, '99th percentile, µs'),
                                ('busy', 100, 'CPU, % of a core')):
        series = lone_series(samples, metric, scale)
        if series:
            parts.append(figure(charts.lines(series, name,
                                             'packets per second', name)))
    saturated = samples.get('lone/veth/saturated', {})
    parts.append(bar_chart(saturated, 'p50_us', 'As many as the feeder can',
                           'median latency, µs'))
    return section('A packet alone', 'AF_PACKET on a veth, 64 bytes, one '
                   'packet at a time with its time in it; the age when the '
                   'reader holds it.', grid(parts))


def share_of_ceiling(samples, name):
    block = samples.get('tcp/' + name, {})
    ceiling = figures.median(block.get('kernel over veth', []), 'gbit')
    found = rows(block, 'gbit', ceiling / 100) if ceiling else []
    return figure(charts.bars(found, 'TCP ' + name,
                              '% of the kernel over veth')) if found else ''


def tcp(samples):
    streams = 'in', 'out', 'in, 16 streams', 'out, 16 streams'
    return section(
        'TCP', 'The stack under test on one core, the kernel&rsquo;s TCP on '
        'the other. In: towards the stack under test.',
        grid([share_of_ceiling(samples, name) for name in streams]),
        grid([bar_chart(samples.get('tcp/' + name, {}), 'cpu_per_gb',
                        'TCP ' + name, 'CPU seconds per GB')
              for name in streams[:2]]),
        grid([bar_chart(samples.get('tcp/ping', {}), 'p50_us',
                        'One byte there and back', 'median, µs'),
              bar_chart(samples.get('tcp/ping', {}), 'p99_us',
                        'One byte there and back', '99th percentile, µs'),
              bar_chart(samples.get('tcp/connect', {}), 'per_second',
                        'Connections', 'per second')]))


def wire(samples):
    streams = samples.get('wire/tcp', {})
    return section(
        'A wire', 'Two kernels, and between them a wire.',
        grid([bar_chart(streams, 'gbit', 'One TCP stream', 'Gbit/s'),
              bar_chart(streams, 'cpu_per_gb', 'One TCP stream',
                        'CPU seconds of the wire per GB'),
              bar_chart(samples.get('wire/tunnel', {}), 'gbit',
                        'One TCP stream in VXLAN', 'Gbit/s'),
              bar_chart(samples.get('wire/big', {}), 'gbit',
                        'One TCP stream, BIG TCP', 'Gbit/s'),
              bar_chart(samples.get('wire/flood/64', {}), 'cpu_ns',
                        '64 bytes, two TAPs', 'ns of CPU per packet'),
              bar_chart(samples.get('wire/lone/64', {}), 'p50_us',
                        'A packet alone', 'median, µs')]))


def others(samples):
    queues = [bar_chart(block, 'drain_us', name[len('queues/'):],
                        'µs for a backlog of 64 flows')
              for name, block in samples.items() if name.startswith('queues/')]
    backlog = [bar_chart(samples.get('backlog/%s/64' % link, {}), 'cpu_ns',
                         NAMES[link], 'ns of CPU per packet')
               for link in plan.LINKS]
    memory = [bar_chart(samples.get('rx/%s/64' % link, {}), 'rss_load',
                        NAMES[link], 'KiB resident under load', 1024)
              for link in plan.LINKS]
    return (section('Draining a backlog', 'The reader alone: nobody feeds '
                    'meanwhile, so nobody else&rsquo;s work is in it.',
                    grid(backlog), '<h3>Two queues and one</h3>' if queues
                    else '', grid(queues)) +
            section('Memory', 'Resident size that the reader added, rings '
                    'included; of gVisor the whole process.', grid(memory)))


def facts(results):
    pairs = list(results['machine'].items()) + list(
        results['versions'].items())
    return ('<div class="scroll"><table>%s</table></div>' % ''.join(
        '<tr><td>%s</td><td class="left">%s</td></tr>' %
        (escape(k), escape(v)) for k, v in pairs if v))


def lines(heading, texts):
    if not texts:
        return ''
    return '<h2>%s</h2><ul>%s</ul>' % (heading, ''.join(
        '<li>%s</li>' % escape(t) for t in texts))


def html(results):
    samples = results['samples']
    head = '%s, %d CPUs, Linux %s, %s' % (
        results['machine']['cpu'], results['machine']['cpus'],
        results['machine']['kernel'], results['when'])
    return ('<!doctype html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            '<title>fdlink beside its peers</title><style>%s%s</style>'
            '<h1>fdlink beside its peers</h1><p class="dim">%s%s</p>%s' %
            (STYLE, charts.STYLE, escape(head),
             ': a quick run, for orientation' if results['quick'] else '',
             key()) +
            lines('Missing', results['missing']) +
            lines('Notes', results['notes']) +
            section('Targets', 'Each is the median of the ratios of pairs of '
                    'runs that took turns. A target holds if the 95 % interval'
                    ' of that median reaches it; of fewer than 15 pairs the '
                    'verdict is for orientation.', targets(results)) +
            receive(samples) + send(samples) + lone(samples) + tcp(samples) +
            wire(samples) +
            others(samples) +
            '<h2>All figures</h2><details><summary>Medians; quartiles under '
            'the pointer</summary>%s</details>' % ''.join(
                block_table(n, b) for n, b in samples.items()) +
            '<h2>Made with</h2>' + facts(results) + '</html>')


def summary_svg(results):
    """TCP each way and the cost of receiving: for a README."""
    samples = results['samples']
    parts, y, width = [], 8, 640
    for block, metric, scale, title, unit in (
            ('tcp/in', 'gbit', 1, 'One TCP stream to the stack', 'Gbit/s'),
            ('tcp/out', 'gbit', 1, 'One TCP stream from the stack', 'Gbit/s'),
            ('rx/veth/64', 'cpu_ns', 1, 'Receiving 64 bytes, AF_PACKET on veth',
             'ns of CPU per packet')):
        found = [row for row in rows(samples.get(block, {}), metric, scale)
                 if 'aux' not in row[0] and bars.IPV6 not in row[0]]
        if found:
            chart = charts.bars(found, title, unit, width - 20, 200)
            height = 44 + 20 * len(found)
            parts.append('<g transform="translate(10 %d)">%s</g>' % (y, chart))
            y += height
    style = ('<style>svg { %s } @media (prefers-color-scheme: dark) '
             '{ svg { %s } } %s</style>' %
             (charts.LIGHT, charts.DARK, charts.STYLE))
    return charts.svg(width, y, ['<rect width="100%" height="100%" rx="6" '
                                 'style="fill: var(--back)"/>'] + parts,
                      'fdlink beside its peers', style)
