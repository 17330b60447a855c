# SPDX-License-Identifier: MIT
"""Plots as inline SVG. Colours are classes, so that the page's style decides about light and dark; nothing is told by
colour alone. Each plot has a title and a description, and each mark says its numbers."""

import itertools
import textwrap
from html import escape

import scale

WIDTH = 1000
LEFT, RIGHT = 330, 740  # of the part where bars are; labels to the left, numbers to the right
LINE = 15
BAR = 12
COLOURS = 6

_ids = itertools.count(1)


def text(x, y, words, css="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{css}" text-anchor="{anchor}">{escape(words)}</text>'


def line(x1, y1, x2, y2, css):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def svg(height, title, description, parts):
    n = next(_ids)
    return (
        f'<div class="plot" tabindex="0"><svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-labelledby="t{n} d{n}">'
        f'<title id="t{n}">{escape(title)}</title><desc id="d{n}">{escape(description)}</desc>'
        + "".join(parts)
        + "</svg></div>"
    )


def legend(entries):
    """entries: (class of the swatch, text). The swatch shows a stroke, so dashes can be told apart."""
    items = "".join(
        f'<li><svg class="swatch" viewBox="0 0 34 12" aria-hidden="true"><line x1="1" y1="6" x2="33" y2="6" class="{css}"/>'
        f"</svg>{escape(words)}</li>"
        for css, words in entries
    )
    return f'<ul class="legend">{items}</ul>'


# ---- bars ----


class Mark:
    """One bar: its numbers, the class of its colour, lines of text for the right-hand side, and a limit if there is one."""

    def __init__(self, row, unit, css, said, limit=None, whose=""):
        self.row, self.unit, self.css, self.said, self.limit, self.whose = row, unit, css, said, limit, whose

    def tip(self):
        low, high = self.row["min"], self.row["max"]
        spread = f" ({scale.quantity(low, self.unit)} to {scale.quantity(high, self.unit)})" if low < high else ""
        return ": ".join(filter(None, (self.whose, scale.quantity(self.row["median"], self.unit)))) + spread


def _draw_mark(mark, axis, y):
    row, middle = mark.row, y + BAR / 2
    zero, median = axis.at(1 if axis.is_log else 0), axis.at(row["median"])
    low, high = axis.at(row["min"]), axis.at(row["max"])
    out = [f'<g class="mark"><title>{escape(mark.tip())}</title>']
    if axis.is_log:  # a length would mean nothing where there is no zero
        out.append(f'<circle cx="{median:.1f}" cy="{middle:.1f}" r="5" class="fill {mark.css}"/>')
    else:
        x = min(zero, median)
        out.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(abs(median - zero), 1):.1f}" height="{BAR}" class="fill {mark.css}"/>'
        )
    if high - low > 0.5:
        out.append(line(low, middle, high, middle, "whisker"))
        out += [line(x, middle - 4, x, middle + 4, "whisker") for x in (low, high)]
    if mark.limit is not None:
        x = axis.at(mark.limit)
        out.append(line(x, y - 3, x, y + BAR + 3, "limit"))
        out.append(f'<path d="M{x - 4:.1f} {y - 6:.1f}h8l-4 5z" class="limit-head"/>')
    out.append("</g>")
    return out


def bars(title, groups, unit):
    """groups: (heading or None, [(label, [Mark])]); a label has a mark for each run that knows it."""
    marks = [mark for _, rows in groups for _, some in rows for mark in some]
    values = [v for m in marks for v in (m.row["min"], m.row["median"], m.row["max"])]
    values += [m.limit for m in marks if m.limit is not None]
    axis = scale.fitting(values + ([1.0] if unit == "ratio" else []), LEFT, RIGHT)
    parts, y = [], 30.0
    for heading, rows in groups:
        if heading:
            y += 8
            parts.append(text(0, y + 11, heading, "heading"))
            y += 22
        for label, some in rows:
            label_lines = textwrap.wrap(label, 48) or [""]
            said = [textwrap.wrap(s, 42, subsequent_indent="  ") or [""] for m in some for s in m.said]
            said = list(itertools.chain.from_iterable(said))
            height = max(LINE * len(label_lines), LINE * len(said), (BAR + 4) * len(some))
            for i, words in enumerate(label_lines):
                parts.append(text(LEFT - 14, y + 11 + LINE * i, words, "label", "end"))
            for i, words in enumerate(said):
                parts.append(text(RIGHT + 18, y + 11 + LINE * i, words.strip(), "said" if i else "said first"))
            for i, mark in enumerate(some):
                parts += _draw_mark(mark, axis, y + (BAR + 4) * i)
            y += height + 7
    grid = []
    for tick in axis.ticks:
        x = axis.at(tick)
        grid.append(line(x, 22, x, y, "grid"))
        grid.append(text(x, 14, scale.quantity(tick, unit, scale.tick) if axis.is_log else scale.tick(tick), "tick", "middle"))
    if not axis.is_log:
        grid.append(text(RIGHT + 18, 14, {"ratio": "×", "us": "µs"}.get(unit, unit), "tick"))
        grid.append(line(axis.at(0), 22, axis.at(0), y, "zero"))
    if unit == "ratio":
        x = axis.at(1)
        grid += [line(x, 22, x, y + 4, "equal"), text(x, y + 16, "as much as what it is compared with", "tick", "middle")]
        y += 14
    shown = "dots on a logarithmic scale" if axis.is_log else "bars from zero"
    description = f"{len(marks)} medians as {shown}, whiskers from the least to the greatest; the table below has the numbers."
    return svg(y + 8, title, description, grid + parts)


# ---- how far from the bars ----


def distances(title, rows):
    """rows: (label, low, median, high, class, text): each as a share of what the bar allows, so 1 is the bar."""
    left, right = 396, 720
    edge = [v for row in rows for v in row[1:4] if v > 0]
    axis = scale.Log([max(min(edge + [0.5]), 0.01), min(max(edge + [2]), 100)], left, right)
    height = 30 + 22 * len(rows)
    one = axis.at(1)
    parts = [
        f'<rect x="{left}" y="22" width="{one - left:.1f}" height="{height - 22}" class="allowed"/>',
        text(one - 8, height + 14, "← within the bar", "tick", "end"),
        text(one + 8, height + 14, "beyond it →", "tick"),
    ]
    for tick in axis.ticks:
        x = axis.at(tick)
        parts += [line(x, 22, x, height, "grid"), text(x, 14, scale.tick(tick), "tick", "middle")]
    parts.append(line(one, 22, one, height, "limit"))
    for i, (label, low, median, high, css, said) in enumerate(rows):
        y = 30 + 22 * i + 7
        short = textwrap.shorten(label, 50, placeholder=" …")
        parts.append(f'<g class="mark"><title>{escape(label)}: {escape(said)}</title>')
        parts.append(text(left - 14, y + 4, short, "label", "end"))
        if axis.at(high) - axis.at(low) > 0.5:
            parts.append(line(axis.at(low), y, axis.at(high), y, "whisker"))
        if css == "met":
            parts.append(f'<circle cx="{axis.at(median):.1f}" cy="{y}" r="5" class="fill met"/>')
        else:  # another shape, too
            parts.append(f'<rect x="{axis.at(median) - 5:.1f}" y="{y - 5}" width="10" height="10" class="fill missed"/>')
        parts.append(text(right + 18, y + 4, said, f"said {css}-text"))
        parts.append("</g>")
    return svg(height + 22, title, "Each bar's row as a share of what its bar allows; 1 is the bar. The table has the numbers.", parts)


# ---- curves ----

CURVE_LEFT, CURVE_RIGHT, TOP, BOTTOM = 78, 960, 16, 330


class Curve:
    def __init__(self, name, points, css):
        self.name, self.points, self.css = name, points, css


def _frame(x_ticks, y_axis, unit, x_title):
    out = []
    for tick in y_axis.ticks:
        y = y_axis.at(tick)
        out += [line(CURVE_LEFT, y, CURVE_RIGHT, y, "grid"), text(CURVE_LEFT - 8, y + 4, scale.quantity(tick, unit, scale.tick), "tick", "end")]
    for x, words in x_ticks:
        out += [line(x, TOP, x, BOTTOM, "grid"), text(x, BOTTOM + 18, words, "tick", "middle")]
    out.append(text((CURVE_LEFT + CURVE_RIGHT) / 2, BOTTOM + 40, x_title, "tick", "middle"))
    return out


def _path(places):
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)


def _draw_curve(curve, at_x, y_axis, unit, say_x):
    points = [p for p in curve.points if at_x(p) is not None]
    out = []
    if any(p[2] < p[3] for p in points):
        edge = [(at_x(p), y_axis.at(p[3])) for p in points] + [(at_x(p), y_axis.at(p[2])) for p in reversed(points)]
        out.append(f'<path d="{_path(edge)}Z" class="band {curve.css}"/>')
    out.append(f'<path d="{_path([(at_x(p), y_axis.at(p[1])) for p in points])}" class="curve {curve.css}"/>')
    for p in points:
        spread = f" ({scale.quantity(p[2], unit)} to {scale.quantity(p[3], unit)})" if p[2] < p[3] else ""
        tip = f"{curve.name}, {say_x(p)}: {scale.quantity(p[1], unit)}{spread}"
        out.append(f'<circle cx="{at_x(p):.1f}" cy="{y_axis.at(p[1]):.1f}" r="5" class="touch"><title>{escape(tip)}</title></circle>')
    return out


def percentiles(title, curves, unit):
    """Shares of samples on an axis of nines, values on a logarithmic one; the slowest of all stands apart, at the right."""
    values = [max(v, 1e-9) for c in curves for p in c.points for v in p[1:]]
    y_axis = scale.Log(values, BOTTOM, TOP)
    last = max((scale.nines(p[0]) for c in curves for p in c.points if p[0] < 1), default=1)
    end = CURVE_RIGHT - 90
    nines = range(1, max(int(last + 1e-9), 1) + 1)

    def at_share(share):
        return CURVE_LEFT + (end - CURVE_LEFT) * scale.nines(share) / max(last, 1)

    ticks = [(at_share(share), scale.percent(share)) for share in [0, 0.5] + [round(1 - 10.0**-n, n) for n in nines]]
    parts = _frame(ticks + [(CURVE_RIGHT - 20, "slowest")], y_axis, unit, "share of samples that took no longer")
    for curve in curves:
        say = lambda p: "slowest" if p[0] == 1 else scale.percent(p[0])
        parts += _draw_curve(curve, lambda p: at_share(p[0]) if p[0] < 1 else None, y_axis, unit, say)
        slowest = [p for p in curve.points if p[0] == 1]
        if slowest:
            p, x = slowest[0], CURVE_RIGHT - 20
            y, low, high = (y_axis.at(v) for v in p[1:])
            before = [q for q in curve.points if q[0] < 1]
            if before:
                parts.append(line(at_share(before[-1][0]), y_axis.at(before[-1][1]), x, y, f"onward {curve.css}"))
            parts.append(line(x, low, x, high, "whisker"))
            tip = f"{curve.name}, slowest: {scale.quantity(p[1], unit)}"
            parts.append(f'<circle cx="{x}" cy="{y:.1f}" r="5" class="fill {curve.css}"><title>{escape(tip)}</title></circle>')
    return svg(BOTTOM + 50, title, f"{len(curves)} curves of percentiles, on logarithmic scales; the table below has the numbers.", parts)


def over_time(title, curves, unit):
    y_axis = scale.Linear([v for c in curves for p in c.points for v in p[1:]], BOTTOM, TOP)
    x_axis = scale.Linear([p[0] for c in curves for p in c.points], CURVE_LEFT, CURVE_RIGHT, 8)
    ticks = [(x_axis.at(tick), scale.quantity(tick, "s", scale.tick) if tick else "0") for tick in x_axis.ticks]
    parts = _frame(ticks, y_axis, unit, "time")
    for curve in curves:
        parts += _draw_curve(curve, lambda p: x_axis.at(p[0]), y_axis, unit, lambda p: scale.quantity(p[0], "s"))
    return svg(BOTTOM + 50, title, f"{len(curves)} curves over time; the table below has the numbers.", parts)
