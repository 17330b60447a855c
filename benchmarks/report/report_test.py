# SPDX-License-Identifier: MIT
"""report_test.py: of the page that canned runs give, of scales, and of what a comparison calls a difference."""

import copy
import html.parser
import json
import math
import os
import re
import unittest
import xml.etree.ElementTree as tree

import compare
import page
import plots
import runs
import scale

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "testdata")
PEERS = os.path.join(DATA, "peers.json")
OLD, NEW = os.path.join(DATA, "old.json"), os.path.join(DATA, "new.json")
LONE = {"meta", "br", "hr", "img", "input", "link"}


class Outline(html.parser.HTMLParser):
    """Checks that tags close in order, and gathers identifiers, references and the cells of tables."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.wanted, self.tags, self.cells, self.errors = [], [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.wanted += attributes.get("aria-labelledby", "").split()
        self.wanted += [attributes["href"][1:]] if attributes.get("href", "").startswith("#") else []
        self.errors += [f"{key} refers to elsewhere" for key in ("src", "href") if not attributes.get(key, "#").startswith("#")]
        if tag in ("td", "th"):
            self.cells.append("")
        if tag not in LONE:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.errors.append(f"</{tag}> closes something else")

    def handle_data(self, data):
        if "td" in self.open or "th" in self.open:
            self.cells[-1] += data


def outline(text):
    parser = Outline()
    parser.feed(text)
    parser.close()
    return parser


def pictures(text):
    return [tree.fromstring(svg) for svg in re.findall(r"<svg viewBox=.*?</svg>", text, re.DOTALL)]


def bars_in(picture):
    return [(float(r.get("x")), float(r.get("width"))) for r in picture.iter("rect") if "fill" in r.get("class", "").split()]


class Page(unittest.TestCase):
    def setUp(self):
        self.one = page.page(runs.load_all([OLD]))
        self.two = page.page(runs.load_all([OLD, NEW]))

    def test_is_whole_and_alone(self):
        for text in (self.one, self.two):
            found = outline(text)
            self.assertEqual(found.errors, [])
            self.assertEqual(found.open, [])
            self.assertEqual(len(found.ids), len(set(found.ids)))
            self.assertLessEqual(set(found.wanted), set(found.ids))
            self.assertNotIn("script", found.tags)
            self.assertNotIn("url(", text)

    def test_every_number_is_in_a_table(self):
        cells = outline(self.one).cells
        for row in runs.load(OLD).rows:
            self.assertIn(row["what"], cells)
            for key in ("median", "min", "max"):
                self.assertIn(scale.quantity(row[key], row["unit"]), cells)
        for cell in ("1 ms (500 µs .. 2 ms)", "1 µs (900 ns .. 1.10 µs)", "3 MB", "1.50 × one <thread>: plain counter"):
            self.assertIn(cell, cells)

    def test_names_are_not_markup(self):
        self.assertNotIn("<thread>", self.one)
        self.assertIn("one &lt;thread&gt;", self.one)

    def test_each_plot_is_named(self):
        found = [p for p in pictures(self.one) if p.get("role") == "img"]
        self.assertEqual(len(found), 1 + 2 + 3 + 2)  # the bars, curves, units of "made", units of "tail"
        for picture in found:
            self.assertTrue(picture.find("title").text and picture.find("desc").text)

    def test_ratio_to_the_floor_and_verdicts(self):
        self.assertIn("1.50 × plain counter", self.one)
        self.assertIn("2 of 3 bars met", self.one)
        self.assertIn("✓ ≤ 1.60: met, not in every repetition", self.one)
        self.assertIn("✗ ≥ 2: missed by 25.0 %", self.one)

    def test_several_runs(self):
        self.assertIn("a sum is wrong", self.two)
        self.assertIn("n3w is a quick run", self.two)
        self.assertIn("The runs differ in: processor.", self.two)
        self.assertNotIn("The runs differ in", self.one)
        self.assertIn('<section id="peers">', self.two)
        self.assertIn("n3w: 2.50 ns", self.two)

    def test_dark_is_complete(self):
        light, dark = re.findall(r":root \{(.*?)\}", self.one, re.DOTALL)
        names = lambda block: set(re.findall(r"--[a-z0-9]+", block))
        self.assertEqual(names(light), names(dark))
        self.assertLessEqual(set(re.findall(r"var\((--[a-z0-9]+)\)", self.one)), names(light))


class Peers(unittest.TestCase):
    def setUp(self):
        self.one = page.page(runs.load_all([PEERS]))
        self.found = outline(self.one)

    def test_is_whole(self):
        self.assertEqual((self.found.errors, self.found.open), ([], []))
        self.assertLessEqual(set(self.found.wanted), set(self.found.ids))
        for name in ("peers", "peers-rings", "peers-pause"):
            self.assertIn(name, self.found.ids)
        self.assertNotIn("bars", self.found.ids)  # no row has one

    def test_overview_tells_of_each_peer(self):
        matrix = re.search(r'<table class="matrix">.*?</table>', self.one, re.DOTALL).group(0)
        self.assertEqual(re.findall(r'<th scope="col" class="n">(.*?)</th>', matrix), ["ouro", "&lt;b&gt;", "slow"])
        cells = outline(matrix).cells
        rings, p999, slowest = cells[4:8], cells[8:12], cells[12:16]
        self.assertEqual(rings, ["rings rings of 2, 1 thread, per node", "10 ns", "5 ns▼ 0.500 ×", "timeout"])
        self.assertEqual(p999, ["pause 100 nodes, p99.9", "2 µs", "3 µs▲ 1.50 ×", "–"])
        self.assertEqual(slowest[0], "pause 100 nodes, max")

    def test_tells_what_is_missing_and_why(self):
        self.assertIn("<b>gone</b> needs a compiler", self.one)
        for cell in ("not finished after 7 s", "no collector", "0.500 × (0.400 .. 0.600)"):
            self.assertIn(cell, self.found.cells)

    def test_curves_of_all_in_one_plot(self):
        paths = re.findall(r'<path d="[^"]*" class="curve ([^"]*)"', self.one)
        self.assertEqual(len(set(paths)), 2)

    def test_two_runs_side_by_side(self):
        two = page.page(runs.load_all(["a=" + PEERS, "b=" + PEERS]))
        found = outline(two)
        self.assertEqual(found.errors, [])
        self.assertEqual(len(found.ids), len(set(found.ids)))
        for name in ("ouro, a", "ouro, b"):
            self.assertIn(name, found.cells)

    def test_beside_other_rows(self):
        both = page.page(runs.load_all([OLD, PEERS]))
        self.assertEqual(outline(both).errors, [])
        self.assertIn('<section id="made">', both)
        self.assertIn('<section id="peers-rings">', both)


class Plots(unittest.TestCase):
    def row(self, median, low, high):
        return {"what": "w", "unit": "ns", "median": median, "min": low, "max": high}

    def test_lengths_are_values(self):
        rows = [("a", [plots.Mark(self.row(10, 5, 20), "ns", "c0", [])]), ("b", [plots.Mark(self.row(5, 5, 5), "ns", "c0", [])])]
        picture = tree.fromstring(re.search(r"<svg.*</svg>", plots.bars("t", [(None, rows)], "ns")).group(0))
        (x, a), (_, b) = bars_in(picture)
        self.assertAlmostEqual(a, 2 * b, delta=0.11)
        self.assertEqual(x, plots.LEFT)
        whiskers = [(float(e.get("x1")), float(e.get("x2"))) for e in picture.iter("line") if e.get("class") == "whisker"]
        self.assertAlmostEqual(whiskers[0][0] - x, a / 2, delta=0.11)
        self.assertAlmostEqual(whiskers[0][1] - x, a * 2, delta=0.11)

    def test_below_zero(self):
        rows = [("a", [plots.Mark(self.row(-5, -10, 10), "%", "c0", [])])]
        ((x, width),) = bars_in(tree.fromstring(re.search(r"<svg.*</svg>", plots.bars("t", [(None, rows)], "%")).group(0)))
        self.assertAlmostEqual(x + width, (plots.LEFT + plots.RIGHT) / 2, delta=0.11)

    def test_far_apart_is_logarithmic(self):
        rows = [(str(v), [plots.Mark(self.row(v, v, v), "ns", "c0", [])]) for v in (1, 1000)]
        picture = tree.fromstring(re.search(r"<svg.*</svg>", plots.bars("t", [(None, rows)], "ns")).group(0))
        self.assertEqual(bars_in(picture), [])
        self.assertEqual([float(c.get("cx")) for c in picture.iter("circle")], [plots.LEFT, plots.RIGHT])


class Scales(unittest.TestCase):
    def test_numbers(self):
        said = {0: "0", 0.5512: "0.551", 1.28: "1.28", 18.18: "18.2", 5: "5", 1234.5: "1\u202f234", -3.25: "-3.25"}
        for value, text in said.items():
            self.assertEqual(scale.number(value), text)
        self.assertEqual(scale.quantity(12137500, "ns"), "12.1 ms")
        self.assertEqual(scale.quantity(1000, "us"), "1 ms")
        self.assertEqual(scale.quantity(1.5, "ratio"), "1.50 ×")

    def test_each_nine_has_the_same_room(self):
        steps = [scale.nines(b) - scale.nines(a) for a, b in ((0.9, 0.99), (0.99, 0.999), (0.999, 0.9999))]
        for step in steps:
            self.assertAlmostEqual(step, 1)
        self.assertEqual(scale.percent(0.99999), "99.999 %")

    def test_ticks_hold_the_values(self):
        for values in ([3], [0.2, 17], [-3, 8], [0]):
            axis = scale.Linear(values, 0, 100)
            self.assertLessEqual(axis.ticks[0], min(values))
            self.assertGreaterEqual(axis.ticks[-1] * (1 + 1e-9), max(values))
            self.assertIn(0, [round(t, 9) for t in axis.ticks])
        self.assertEqual(scale.Log([3, 4000], 0, 400).at(100), 200)


class Reading(unittest.TestCase):
    def test_refuses_what_is_no_run(self):
        with open(OLD, encoding="utf-8") as file:
            good = json.load(file)
        self.assertIsNone(runs.check(good))
        spoil = {
            "no median": lambda d: d["rows"][0].pop("median"),
            "order": lambda d: d["rows"][0].update(min=3),
            "infinite": lambda d: d["rows"][0].update(max=math.inf),
            "bar": lambda d: d["rows"][2]["bar"].pop("met"),
            "axis": lambda d: d["curves"][0].update(axis="x"),
            "points": lambda d: d["curves"][0]["points"].reverse(),
            "rows": lambda d: d.pop("rows"),
            "peer": lambda d: d["rows"][0].update(peer=1),
            "against": lambda d: d["rows"][0].update(peer="p", against={"to": "ouro"}),
            "absent": lambda d: d.update(absent=[{"peer": "p"}]),
        }
        for name, change in spoil.items():
            bad = copy.deepcopy(good)
            change(bad)
            self.assertIsNotNone(runs.check(bad), name)

    def test_labels(self):
        self.assertEqual([run.label for run in runs.load_all(["a=" + OLD, NEW])], ["a", "n3w"])
        self.assertEqual([run.label for run in runs.load_all([OLD, OLD])], [OLD, OLD])


class Comparing(unittest.TestCase):
    def side(self, *medians):
        row = lambda m: {"benchmark": "b", "what": "w", "unit": "ns", "median": m, "min": m, "max": m}
        return [runs.Run("r", "r", {"rows": [row(m)]}) for m in medians]

    def verdict(self, old, new):
        (change,), rest = compare.changes(self.side(*old), self.side(*new))
        self.assertEqual(rest, [])
        return change.verdict(), round(change.percent)

    def test_what_exceeds_the_noise(self):
        self.assertEqual(self.verdict((10, 11, 12), (5, 5.5, 6)), ("faster", -50))
        self.assertEqual(self.verdict((10, 11, 12), (13, 22, 30)), ("slower", 100))
        self.assertEqual(self.verdict((10, 11, 12), (12, 22, 30)), ("within the noise", 100))
        self.assertEqual(self.verdict((5, 5, 5), (5, 5, 5)), ("within the noise", 0))

    def test_rows_of_one_side(self):
        both, rest = compare.changes(runs.load_all([OLD]), runs.load_all([NEW]))
        self.assertEqual([c.what for c in both], ["one <thread>: retain & release"])
        self.assertIn("peers: only here", rest)
        self.assertIn("made: throughput", rest)

    def test_peers_are_told_apart(self):
        both, rest = compare.changes([runs.load(PEERS)], [runs.load(PEERS)])
        self.assertEqual(rest, [])
        self.assertIn("<b>: rings of 2, 1 thread: time per node", [c.what for c in both])

    def test_options(self):
        self.assertEqual(compare._options(["--quick"]), (compare.ROUNDS, "", ["--quick"]))
        told = compare._options(["--report", "p.html", "--peers", "--only", "x", "--rounds", "3"])
        self.assertEqual(told, (3, "p.html", ["--peers=ouro", "--only", "x", "--rounds", "1"]))
        for wrong in (["--rounds", "1"], ["--json", "x"]):
            self.assertRaises(ValueError, compare._options, wrong)

    def test_all_rounds_as_one(self):
        merged = compare._merged(self.side(10, 30, 20))
        row = merged.row("b", "w")
        self.assertEqual((row["min"], row["median"], row["max"]), (10, 20, 30))

    def test_chance(self):
        self.assertEqual([compare.chance(n) for n in (2, 3, 5)], [3, 10, 126])


if __name__ == "__main__":
    unittest.main()
