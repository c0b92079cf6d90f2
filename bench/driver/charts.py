# SPDX-License-Identifier: Apache-2.0
"""Charts as SVG text. Colours are classes, which the page's style sets."""

import html
import math

FAMILIES = (('fdlink', 'fdlink'), ('bare', 'bare system calls'),
            ('gvisor', 'gVisor'), ('pcap', 'libpcap'),
            ('tapif', 'lwIP, plain netif'), ('kernel', 'kernel'))

STYLE = '''
.plot { font: 12px system-ui, sans-serif }
.plot text { fill: var(--text) }
.plot .dim { fill: var(--dim) }
.plot .mark { fill: color-mix(in srgb, var(--c) 60%, var(--text)) }
.plot .axis { stroke: var(--line); stroke-width: 1; fill: none }
.plot .spread { stroke: var(--text); stroke-width: 1.2; fill: none }
.fdlink { --c: #2f6fde } .bare { --c: #8b939e } .gvisor { --c: #d9822b }
.pcap { --c: #1f9d84 } .tapif { --c: #9a5cc6 } .kernel { --c: #5b6470 }
.fill { fill: var(--c) } .stroke { stroke: var(--c); fill: none }
'''

LIGHT = ('--back: #fff; --text: #1c2128; --dim: #5f6975; --line: #d5dae1; '
         '--good: #1a7f37; --bad: #c0362c; --box: #f5f7f9')
DARK = ('--back: #14181d; --text: #e3e7ec; --dim: #98a3b0; --line: #38414c; '
        '--good: #4fc06a; --bad: #f0776c; --box: #1c2229')


def family(name):
    for key, sign in (('tapif', 'plain netif'), ('fdlink', 'fdlink'),
                      ('gvisor', 'gVisor'), ('pcap', 'libpcap'),
                      ('kernel', 'kernel'), ('fdlink', 'queue')):
        if sign in name:
            return key
    return 'bare'


def escape(text):
    return html.escape(str(text))


def number(x):
    """Three digits, thousands set apart."""
    if x == 0:
        return '0'
    if abs(x) >= 100:
        return '{:,.0f}'.format(x)
    digits = max(0, 2 - math.floor(math.log10(abs(x))))
    return '{:.{}f}'.format(x, min(digits, 3))


def tick(x):
    return '{:,.10g}'.format(x)


def svg(width, height, parts, title, style=''):
    return ('<svg class="plot" xmlns="http://www.w3.org/2000/svg" '
            'viewBox="0 0 %d %d" width="%d" height="%d" role="img">'
            '<title>%s</title>%s%s</svg>' %
            (width, height, width, height, escape(title), style,
             ''.join(parts)))


def bars(rows, title, unit, width=560, left=176):
    """rows: (name, value, low, high); a bar each, the spread as a whisker."""
    top = max(max(row[3] for row in rows), 1e-9)
    room = width - left - 78
    parts = ['<text x="0" y="14" font-weight="600">%s</text>'
             '<text class="dim" x="%d" y="14" text-anchor="end">%s</text>' %
             (escape(title), width, escape(unit))]
    y = 26
    for name, value, low, high in rows:
        x0, x1, x2 = (left + room * v / top for v in (low, value, high))
        parts.append(
            '<g class="%s"><text x="%d" y="%d" text-anchor="end">%s</text>'
            '<rect class="fill" x="%d" y="%d" width="%.1f" height="14" rx="2"/>'
            '<path class="spread" d="M%.1f %dH%.1fM%.1f %dv6M%.1f %dv6"/>'
            '<text x="%.1f" y="%d">%s</text></g>' %
            (family(name), left - 8, y + 11, escape(name), left, y,
             max(x1 - left, 1), x0, y + 7, x2, x0, y + 4, x2, y + 4,
             max(x1, x2) + 6, y + 11, number(value)))
        y += 20
    return svg(width, y + 2, parts, title)


def ticks(low, high):
    """Powers of ten, with others between where there are few."""
    decades = range(math.floor(math.log10(low)),
                    math.ceil(math.log10(high)) + 1)
    for steps in (1,), (1, 2, 5), (1, 2, 3, 4, 5, 6, 7, 8, 9):
        found = [float('%de%d' % (s, d)) for d in decades for s in steps
                 if low <= float('%de%d' % (s, d)) <= high]
        if len(found) > 2:
            break
    return found


class LogPlane:
    """A plane with logarithmic axes."""

    def __init__(self, xs, ys, width, height, xname, yname):
        self.width, self.height = width, height
        self.x = (min(xs) / 1.5, max(xs) * 1.5)
        self.y = (min(ys) / 1.5, max(ys) * 1.5)
        self.left, self.bottom = 62, height - 40
        self.right, self.top = width - 12, 26
        self.parts = self.axes(xname, yname)

    def at(self, x, y):
        def share(v, span):
            return math.log(v / span[0]) / math.log(span[1] / span[0])
        return (self.left + share(x, self.x) * (self.right - self.left),
                self.bottom - share(y, self.y) * (self.bottom - self.top))

    def axes(self, xname, yname):
        parts = ['<path class="axis" d="M%d %dV%dH%d"/>' %
                 (self.left, self.top, self.bottom, self.right)]
        for v in ticks(*self.x):
            px, _ = self.at(v, self.y[0])
            parts.append('<path class="axis" d="M%.1f %dv4"/><text class="dim" '
                         'x="%.1f" y="%d" text-anchor="middle">%s</text>' %
                         (px, self.bottom, px, self.bottom + 17, tick(v)))
        for v in ticks(*self.y):
            _, py = self.at(self.x[0], v)
            parts.append('<path class="axis" d="M%d %.1fH%d" opacity=".5"/>'
                         '<text class="dim" x="%d" y="%.1f" text-anchor="end">'
                         '%s</text>' % (self.left, py, self.right,
                                        self.left - 6, py + 4, tick(v)))
        parts.append('<text class="dim" x="%d" y="%d" text-anchor="end">%s'
                     '</text><text class="dim" x="0" y="%d">%s</text>' %
                     (self.right, self.height - 6, escape(xname), self.top - 10,
                      escape(yname)))
        return parts

    def labels(self, wanted):
        """(x, y, text, family) beside their points, off all others."""
        placed = [(x - 5, y, 10) for x, y, _, _ in wanted]
        for x, y, text, kind in sorted(wanted, key=lambda w: w[1]):
            # About 7 units to a letter; the label goes left where the plane
            # ends.
            size = 7 * len(text)
            end = x + 9 + size > self.right
            left = x - 9 - size if end else x + 9
            while any(abs(y - py) < 13 and left < pl + ps and pl < left + size
                      for pl, py, ps in placed):
                y += 3
            placed.append((left, y, size))
            self.parts.append('<text class="mark %s" x="%.1f" y="%.1f">%s'
                              '</text>' %
                              (kind, left, y + 4, escape(text)))


def scatter(points, title, xname, yname, width=560, height=330):
    """points: (name, x, y)."""
    plane = LogPlane([p[1] for p in points], [p[2] for p in points], width,
                     height, xname, yname)
    wanted = []
    for name, x, y in points:
        px, py = plane.at(x, y)
        plane.parts.append('<g class="%s"><circle class="fill" cx="%.1f" '
                           'cy="%.1f" r="5"/></g>' % (family(name), px, py))
        wanted.append((px, py, name, family(name)))
    plane.labels(wanted)
    return svg(width, height, plane.parts, title)


def lines(series, title, xname, yname, width=560, height=330):
    """series: {name: [(x, y)]}."""
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points]
    # Room for the names behind the last points.
    plane = LogPlane(xs + [max(xs) * 12], ys, width, height, xname, yname)
    dashes = ('', '6 3', '2 3', '8 3 2 3')
    wanted, used = [], {}
    for name, points in series.items():
        kind = family(name)
        dash = dashes[used.setdefault(kind, 0) % len(dashes)]
        used[kind] += 1
        at = [plane.at(x, y) for x, y in sorted(points)]
        plane.parts.append(
            '<g class="%s"><path class="stroke" stroke-width="1.8" '
            'stroke-dasharray="%s" d="M%s"/>%s</g>' %
            (kind, dash, 'L'.join('%.1f %.1f' % p for p in at),
             ''.join('<circle class="fill" cx="%.1f" cy="%.1f" r="3"/>' % p
                     for p in at)))
        wanted.append(at[-1] + (name, kind))
    plane.labels(wanted)
    return svg(width, height, plane.parts, title)
