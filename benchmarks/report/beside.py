# SPDX-License-Identifier: MIT
"""The page's chapter on peers: the same work in other memory managers, all of them side by side."""

from html import escape

import plots
import scale

# Of work that has percentiles, these are what the overview tells of; of other work, what comes first.
TELLING = {"pause": ("p99.9", "max"), "server": ("p99", "max")}
# Not drawn: curves or the table tell it better.
_TABLE_ONLY = ("p50", "p99", "p99.99", "max", "resident", "peak resident")
_NEAR = 1.05  # below this, and above its inverse, neither is called faster


def _parts(row):
    """'rings of 10, 2 threads: time per node' -> what is run, and what is told of it."""
    work, _, metric = row["what"].rpartition(": ")
    return work, metric


def _q(row, key="median"):
    return scale.quantity(row[key], row["unit"])


def _times(value):
    return f"{scale.number(value)} ×"


def order(run):
    """The peers, with what ratios are to first."""
    names = list(dict.fromkeys(row["peer"] for row in run.peer_rows))
    base = next((row["against"]["to"] for row in run.peer_rows if "against" in row), None)
    return sorted(names, key=lambda name: name.split(",")[0] != base) if base else names


def workloads(run):
    return list(dict.fromkeys(row["benchmark"] for row in run.peer_rows))


# ---- overview ----


def _why(run, workload, work, peer):
    for item in run.absent:
        if item["peer"] == peer and item.get("benchmark") == workload and item.get("what") == work:
            return item["why"]
    return ""


def _cell(run, workload, work, peer, row):
    if not row:
        why = _why(run, workload, work, peer)
        words = {"not finished": "timeout", "not tried": "timeout", "failed": "failed"}.get(" ".join(why.split()[:2]).rstrip(","), "–")
        return f'<td class="n absent" title="{escape(why)}">{words}</td>'
    against = row.get("against")
    if not against:
        return f'<td class="n"><b>{_q(row)}</b></td>'
    # Rates are better when there are more of them; nothing that the overview tells of is one.
    css = "less" if against["median"] < 1 / _NEAR else "more" if against["median"] > _NEAR else ""
    sign = {"less": "▼ ", "more": "▲ "}.get(css, "")
    spread = f"{_times(against['min'])} to {_times(against['max'])}"
    return f'<td class="n" title="{escape(spread)}">{_q(row)}<small class="{css}">{sign}{_times(against["median"])}</small></td>'


def overview(run, peers):
    rows = {}
    for row in run.peer_rows:
        work, metric = _parts(row)
        known = [m for w, at, m in rows if (w, at) == (row["benchmark"], work)]
        if metric in TELLING.get(row["benchmark"], known[:1] or [metric]):
            rows.setdefault((row["benchmark"], work, metric), {})[row["peer"]] = row
    body = []
    for (workload, work, metric), by_peer in rows.items():
        cells = "".join(_cell(run, workload, work, peer, by_peer.get(peer)) for peer in peers)
        told = escape(", ".join(filter(None, (work, metric.replace("time per", "per")))))
        body.append(f'<tr><th scope="row"><a href="#peers-{escape(workload)}">{escape(workload)}</a> <span class="soft">{told}</span></th>{cells}</tr>')
    head = "".join(f'<th scope="col" class="n">{escape(peer)}</th>' for peer in peers)
    return (
        '<div class="scroll tall" tabindex="0"><table class="matrix"><caption>The median of the rounds, and how many times ouro\'s it is'
        ' (▼ less, ▲ more; point at it for the least and the greatest)</caption>'
        f'<thead><tr><th scope="col">work</th>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
    )


def left_out(run):
    items = "".join(f"<li><b>{escape(item['peer'])}</b> {escape(item['why'])}</li>" for item in run.absent if "benchmark" not in item)
    return f"<p>Not on this machine:</p><ul>{items}</ul>" if items else ""


# ---- one workload ----


def _curves(run, workload, peers):
    mine = [c for c in run.peer_curves if c["benchmark"] == workload and c["points"]]
    for plot, axis, unit in dict.fromkeys((c["plot"], c["axis"], c["unit"]) for c in mine):
        curves = []
        for c in mine:
            if (c["plot"], c["axis"], c["unit"]) == (plot, axis, unit):
                k = peers.index(c["peer"]) if c["peer"] in peers else len(peers)
                # The shade of the first alone: those of ten would hide the lines.
                points = c["points"] if k == 0 else [[p[0], p[1], p[1], p[1]] for p in c["points"]]
                curves.append((k, plots.Curve(c["peer"], points, f"c{k % plots.COLOURS} d{k // plots.COLOURS % 4}")))
        curves = [curve for _, curve in sorted(curves, key=lambda item: item[0])]
        draw = plots.percentiles if axis == "percentiles" else plots.over_time
        yield f"<h4>{escape(plot)}</h4>"
        yield plots.legend([(f"key {c.css}", c.name) for c in curves])
        yield draw(f"{workload}, {plot}", curves, unit)


def _bars(run, workload, peers):
    mine = [row for row in run.peer_rows if row["benchmark"] == workload and _parts(row)[1] not in _TABLE_ONLY]
    for metric, unit in dict.fromkeys((_parts(row)[1], row["unit"]) for row in mine):
        same = [row for row in mine if (_parts(row)[1], row["unit"]) == (metric, unit)]
        if len(same) > 1 and all(row["min"] == row["max"] == same[0]["min"] for row in same):
            continue  # nothing to see
        groups = {}
        for row in same:
            said = [_q(row) + (f" · {_times(row['against']['median'])} {row['against']['to']}" if "against" in row else "")]
            mark = plots.Mark(row, unit, "c0" if row["peer"] == peers[0] else "reference", said)
            groups.setdefault(_parts(row)[0], []).append((row["peer"], [mark]))
        listed = [(work, sorted(marks, key=lambda item: peers.index(item[0]))) for work, marks in groups.items()]
        yield f"<h4>{escape(metric)}</h4>"
        yield plots.bars(f"{workload}: {metric}", listed, unit)


def _table(run, workload, table, beneath):
    body = []
    for row in run.peer_rows:
        if row["benchmark"] == workload:
            against = row.get("against")
            ratio = f"{_times(against['median'])} ({scale.number(against['min'])} .. {scale.number(against['max'])})" if against else ""
            body.append([row["what"], row["peer"], _q(row), _q(row, "min"), _q(row, "max"), ratio])
    for item in run.absent:
        if item.get("benchmark") == workload:
            body.append([item["what"], item["peer"], item["why"], "", "", ""])
    return beneath(table(workload, ["what", "peer", "median", "least", "greatest", "against ouro"], body, (2, 3, 4, 5)))


def section(run, workload, peers, table, beneath):
    text = run.workload_texts.get(workload, "")
    return "\n".join([
        f'<section id="peers-{escape(workload)}"><h3>{escape(workload)}<span class="soft">: {escape(text)}</span></h3>',
        *_bars(run, workload, peers), *_curves(run, workload, peers), _table(run, workload, table, beneath), "</section>",
    ])  # fmt: skip


def chapter(run, table, beneath):
    peers = order(run)
    links = "".join(f'<li><a href="#peers-{escape(name)}">{escape(name)}</a></li>' for name in workloads(run))
    return "\n".join([
        '<section id="peers"><h2>The same work in other memory managers</h2>',
        "<p>One program for each, with the same shapes, in the idiom of its memory manager; whole processes in turns."
        " Less is better, but for rates. benchmarks/peers/README.md says what each program does, and what cannot be compared.</p>",
        left_out(run), overview(run, peers), f'<nav aria-label="Peers"><ul>{links}</ul></nav></section>',
        *(section(run, name, peers, table, beneath) for name in workloads(run)),
    ])  # fmt: skip
