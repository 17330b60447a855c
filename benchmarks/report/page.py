# SPDX-License-Identifier: MIT
"""The page: what was measured on what machine, the bars, then each benchmark with its plots and their numbers."""

import os
from html import escape

import beside
import plots
import runs as read
import scale

UNITS = {
    "ns": "Nanoseconds", "us": "Microseconds", "ms": "Milliseconds", "s": "Seconds", "ratio": "Ratios", "%": "Per cent",
    "MB": "Memory", "points": "Percentage points", "bytes": "Bytes", "MB/s": "Rates", "1/s": "Per second", "": "Counts",
}  # fmt: skip


def table(caption, head, body, numeric=()):
    """body: rows of texts, the first of which heads the row; a cell may be (text, class)."""
    def cell(i, content, tag="td", scope=""):
        words, css = content if isinstance(content, tuple) else (content, "")
        css = " ".join(filter(None, (css, "n" if i in numeric else "")))
        return f"<{tag}{scope}{f' class={chr(34)}{css}{chr(34)}' if css else ''}>{escape(words)}</{tag}>"

    headings = "".join(cell(i, words, "th", ' scope="col"') for i, words in enumerate(head))
    lines = "".join(
        "<tr>" + "".join(cell(i, c, *(("th", ' scope="row"') if i == 0 else ())) for i, c in enumerate(row)) + "</tr>" for row in body
    )
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{headings}</tr></thead><tbody>{lines}</tbody></table>"


def beneath(inner):
    return f'<details><summary>The numbers</summary><div class="scroll" tabindex="0">{inner}</div></details>'


def in_order(runs, items, key):
    """The keys of all runs' items, in the order of the first run; what only later runs have stands where they have it."""
    order = []
    for run in runs:
        before = -1
        for item in items(run):
            k = key(item)
            if k in order:
                before = max(before, order.index(k))
            else:
                before += 1
                order.insert(before, k)
    return order


# ---- the head ----


def machine(runs):
    names = in_order(runs, lambda run: run.machine, lambda name: name)
    body = [[name] + [run.machine.get(name, "–") for run in runs] for name in names]
    differ = [row[0] for row in body if len(set(row[1:])) > 1 and row[0] in ("processor", "cores", "governor", "kernel", "clock")]
    warning = f'<p class="warn">The runs differ in: {escape(", ".join(differ))}. Compare ratios, not times.</p>' if differ else ""
    return warning + '<div class="scroll tall" tabindex="0">' + table("The machine, as each run found it", [""] + [run.label for run in runs], body) + "</div>"


def warnings(runs):
    out = []
    for run in runs:
        if run.wrong:
            out.append(f'<div class="warn"><b>Wrong results in {escape(run.label)}:</b> {escape("; ".join(run.wrong))}</div>')
        if run.quick:
            out.append(f'<p class="warn">{escape(run.label)} is a quick run: for checking, not for quoting.</p>')
    return "".join(out)


def _share(row):
    """min, median, max as shares of what the bar allows: below 1 is within it. None where the bar is 0."""
    value, upper = read.limit(row)
    triple = row["min"], row["median"], row["max"]
    if value <= 0 or (not upper and row["min"] <= 0):
        return None
    return tuple(v / value for v in triple) if upper else tuple(value / v for v in reversed(triple))


def bars_of(run, several):
    barred = [row for row in run.rows if "bar" in row]
    if not barred:
        return ""
    met = sum(row["bar"]["met"] for row in barred)
    drawn, body = [], []
    for row in barred:
        value, upper = read.limit(row)
        css = "met" if row["bar"]["met"] else "missed"
        sign = "✓" if css == "met" else "✗"
        verdict = f"{sign} {read.verdict(row)}"
        body.append([
            f"{row['benchmark']}: {row['what']}", scale.quantity(row["median"], row["unit"]),
            f"{scale.quantity(row['min'], row['unit'])} .. {scale.quantity(row['max'], row['unit'])}",
            f"{'≤' if upper else '≥'} {scale.quantity(value, row['unit'])}", (verdict, css),
        ])  # fmt: skip
        if share := _share(row):
            drawn.append((f"{row['benchmark']}: {row['what']}", *share, css, verdict.removesuffix(" repetitions")))
    drawn.sort(key=lambda item: item[2])
    whose = f" of {run.label}" if several else ""
    left_out = len(barred) - len(drawn)
    note = f' <span class="soft">{left_out} with a bar of 0 {"is" if left_out == 1 else "are"} in the table only.</span>' if left_out else ""
    out = f"<h3>{met} of {len(barred)} bars met{escape(whose)}</h3>"
    out += f"<p>Each median and its least and greatest, as a share of what the bar allows.{note}</p>"
    out += plots.distances(f"Bars{whose}", drawn) if drawn else ""
    return out + beneath(table(f"Rows with a bar{whose}", ["what", "median", "min .. max", "bar", "verdict"], body, (1, 2)))


# ---- one benchmark ----


def _split(what):
    group, colon, rest = what.partition(": ")
    return (group, rest) if colon else ("", what)


def _said(run, row, several):
    first = (f"{run.label}: " if several else "") + scale.quantity(row["median"], row["unit"])
    out = [first]
    for other, ratio in read.ratios_of(run, row):
        out.append(f"{scale.number(ratio['median'])} × {_split(other)[1]}")
    if "bar" in row:
        value, upper = read.limit(row)
        out.append(f"{'✓' if row['bar']['met'] else '✗'} {'≤' if upper else '≥'} {scale.number(value)}: {read.verdict(row)}")
    return out


def _marks(runs, benchmark, what):
    several = len(runs) > 1
    for i, run in enumerate(runs):
        row = run.row(benchmark, what)
        if not row:
            continue
        reference = read.is_reference(run, row)
        css = f"c{i % plots.COLOURS}" + (" pale" if reference else "") if several else "reference" if reference else "c0"
        limit = read.limit(row)[0] if "bar" in row else None
        yield plots.Mark(row, row["unit"], css, _said(run, row, several), limit, run.label if several else "")


def _group(names):
    """Names with a common beginning under one heading; a beginning that only one has stays with it."""
    counts = {}
    for name in names:
        counts[_split(name)[0]] = counts.get(_split(name)[0], 0) + 1
    groups = []
    for name in names:
        group, rest = _split(name)
        heading, label = (group, rest) if group and counts[group] > 1 else (None, name)
        if not groups or groups[-1][0] != heading:
            groups.append((heading, []))
        groups[-1][1].append((label, name))
    return groups


def _bars_table(runs, benchmark, names, caption):
    body = []
    for name in names:
        for run in runs:
            if row := run.row(benchmark, name):
                q = lambda key: scale.quantity(row[key], row["unit"])
                ratios = "; ".join(f"{scale.number(r['median'])} × {to}" for to, r in read.ratios_of(run, row))
                bar = ""
                if "bar" in row:
                    value, upper = read.limit(row)
                    bar = f"{'≤' if upper else '≥'} {scale.number(value)}: {read.verdict(row)}"
                body.append([name, run.label, q("median"), q("min"), q("max"), ratios, bar])
    return table(caption, ["what", "run", "median", "least", "greatest", "against", "bar"], body, (2, 3, 4))


def bars_plots(runs, benchmark):
    mine = lambda run: [row for row in run.rows if row["benchmark"] == benchmark]
    order = in_order(runs, mine, lambda row: (row["unit"], row["what"]))
    for unit in dict.fromkeys(unit for unit, _ in order):
        names = [what for u, what in order if u == unit]
        groups = [
            (heading, [(label, list(_marks(runs, benchmark, name))) for label, name in rows]) for heading, rows in _group(names)
        ]
        title = f"{benchmark}: {UNITS.get(unit, unit).lower()}"
        yield f"<h3>{escape(UNITS.get(unit, unit))}</h3>"
        yield plots.bars(title, groups, unit)
        yield beneath(_bars_table(runs, benchmark, names, title))


def _curves_table(curves, axis, unit, caption):
    xs = sorted({p[0] for c in curves for p in c.points})
    say = (lambda x: "slowest" if x == 1 else scale.percent(x)) if axis == "percentiles" else (lambda x: scale.quantity(x, "s"))
    values = [{p[0]: p for p in c.points} for c in curves]

    def cell(at, x):
        p = at.get(x)
        if not p:
            return "–"
        spread = f" ({scale.quantity(p[2], unit)} .. {scale.quantity(p[3], unit)})" if p[2] < p[3] else ""
        return scale.quantity(p[1], unit) + spread

    body = [[say(x)] + [cell(at, x) for at in values] for x in xs]
    head = ["share of samples" if axis == "percentiles" else "time"] + [c.name for c in curves]
    return table(caption, head, body, range(1, len(head)))


def curve_plots(runs, benchmark):
    """With one run a colour for each curve; with several a colour for each run, and dashes for what is the curve."""
    several = len(runs) > 1
    mine = lambda run: [c for c in run.curves if c["benchmark"] == benchmark and c["points"]]
    for plot, axis, unit in in_order(runs, mine, lambda c: (c["plot"], c["axis"], c["unit"])):
        names = in_order(runs, lambda run: [c for c in mine(run) if (c["plot"], c["axis"], c["unit"]) == (plot, axis, unit)], lambda c: c["name"])
        curves = []
        for i, run in enumerate(runs):
            for c in mine(run):
                if (c["plot"], c["axis"], c["unit"]) != (plot, axis, unit):
                    continue
                k = names.index(c["name"])
                css = f"c{(i if several else k) % plots.COLOURS} d{k % 4}"
                curves.append(plots.Curve(f"{run.label}: {c['name']}" if several else c["name"], c["points"], css))
        title = f"{plot}: {'percentiles' if axis == 'percentiles' else 'over time'}"
        draw = plots.percentiles if axis == "percentiles" else plots.over_time
        yield f"<h3>{escape(title)}</h3>"
        yield plots.legend([(f"key {c.css}", c.name) for c in curves])
        yield draw(f"{benchmark}, {title}", curves, unit)
        yield beneath(_curves_table(curves, axis, unit, f"{benchmark}, {title}"))


def section(runs, benchmark):
    return "\n".join(
        [f'<section id="{escape(benchmark)}"><h2>{escape(benchmark)}</h2>', *curve_plots(runs, benchmark), *bars_plots(runs, benchmark), "</section>"]
    )


# ---- all of it ----


def tiles(runs):
    out = []
    for run in runs:
        barred = [row for row in run.rows if "bar" in row]
        met = sum(row["bar"]["met"] for row in barred)
        if barred:
            out.append(f'<div class="tile"><b>{met} of {len(barred)}</b><span>bars met, {escape(run.label)}</span></div>')
        out.append(f'<div class="tile"><b>{len(run.wrong)}</b><span>wrong results, {escape(run.label)}</span></div>')
    return f'<div class="tiles">{"".join(out)}</div>'


def write(path, text):
    """Never half a page under its name."""
    part = path + ".part"
    with open(part, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(part, path)


def peers(runs):
    """One chapter; with several runs, the peers of each stand beside each other."""
    with_peers = [run for run in runs if run.peer_rows]
    return beside.chapter(read.side_by_side(with_peers), table, beneath) if with_peers else ""


def page(runs, title="Benchmarks"):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "style.css"), encoding="utf-8") as file:
        style = file.read()
    several = len(runs) > 1
    bars = "".join(bars_of(run, several) for run in runs)
    names = in_order(runs, lambda run: [*run.rows, *run.curves], lambda item: item["benchmark"])
    chapters = ["machine", *["bars"] * bool(bars), *["peers"] * any(run.peer_rows for run in runs)]
    links = "".join(f'<li><a href="#{escape(name)}">{escape(name)}</a></li>' for name in chapters + names)
    key = [(f"block c{i % plots.COLOURS}", run.label) for i, run in enumerate(runs)] if several else [
        ("block c0", "what is measured"), ("reference", "what it is compared with")]  # fmt: skip
    pale = " Pale bars are what others are compared with." if several else ""
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><style>
{style}</style></head><body>
<header><h1>{escape(title)}</h1>
<p class="soft">{escape(" · ".join(f"{run.label}, {run.machine.get('date', 'no date')}" for run in runs))}</p>
{tiles(runs)}{warnings(runs)}
<nav aria-label="Benchmarks"><ul>{links}</ul></nav></header>
<main>
{f'<section id="bars"><h2>Bars</h2>{bars}</section>' if bars else ""}
<section id="machine"><h2>Machine</h2>{machine(runs)}</section>
<section id="reading"><h2>How to read the plots</h2>
<p>A bar or dot is the median of the repetitions, its whiskers are the least and the greatest. A mark with a triangle is
the bar that a row has to meet. To the right: the number, and how many times what it is compared with that is; such a ratio is the
median of the ratios of each repetition. Where values are far apart, the scale is logarithmic, and dots stand for bars. The shade
around a curve reaches from the least to the greatest.{pale}</p>
{plots.legend(key)}</section>
{peers(runs)}{"".join(section(runs, name) for name in names)}
</main><footer>Made by <code>./dev bench --report</code>. One file, no scripts.</footer></body></html>
"""
