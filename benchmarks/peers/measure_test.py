# SPDX-License-Identifier: MIT
"""measure_test.py: of the driver of the peers, with programs made here: in turns, timeouts, wrong results, ratios, curves."""

import argparse
import os
import re
import stat
import tempfile
import unittest

import measure
import plan

WORK = ("rings", 2, 1)
TIME = '{"metric": "time", "value": VALUE, "unit": "ns/node", "operations": 1, "peak_rss_mb": 2, "ok": true}'


class Running(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.arguments = argparse.Namespace(rounds=2, seconds=0.01, limit=5)
        self.results, self.log = measure.Results(["other", "ouro"]), os.path.join(self.folder.name, "log")

    def tearDown(self):
        self.folder.cleanup()

    def program(self, name, body):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\necho {name} $* >> {self.log}\n{body}\n")
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        return name, [path]

    def gives(self, name, value):
        return self.program(name, f"echo '{TIME.replace('VALUE', str(value))}'")

    def run_all(self, programs, works=(WORK,)):
        measure.run_all(programs, list(works), self.arguments, self.results, lambda work: None)
        return {(row["peer"], row["what"]): row for work in works for row in measure.rows(work, self.results)}

    def test_ratios_of_programs_in_turns(self):
        rows = self.run_all([self.gives("ouro", 10), self.gives("other", 5)])
        row = rows["other", "rings of 2, 1 thread: time per node"]
        self.assertEqual((row["median"], row["unit"], row["against"]["median"]), (5, "ns", 0.5))
        self.assertEqual([peer for peer, _ in rows][:2], ["other", "ouro"])
        self.assertNotIn("against", rows["ouro", "rings of 2, 1 thread: time per node"])
        self.assertEqual(rows["other", "rings of 2, 1 thread: peak resident"]["median"], 2)
        with open(self.log, encoding="ascii") as log:
            lines = [line.split() for line in log]
        self.assertEqual([line[0] for line in lines], ["ouro", "other", "other", "ouro"])
        self.assertEqual(lines[0][1:], ["rings", "2", "1", "0.01"])

    def test_timeout_is_told_and_not_tried_again(self):
        self.arguments.limit = 0.2
        rows = self.run_all([self.program("slow", "exec sleep 60")], (WORK, ("rings", 10, 1), ("lifo", 1, 1)))
        self.assertEqual(rows, {})
        whys = {(work[0], work[1]): why for work, peer, why in self.results.absent if peer == "slow"}
        self.assertEqual(whys["rings", 2], "not finished after 0.2 s")
        self.assertTrue(whys["rings", 10].startswith("not tried"))
        self.assertEqual(whys["lifo", 1], "not finished after 0.2 s")
        with open(self.log, encoding="ascii") as log:
            self.assertEqual(sum(line.startswith("slow") for line in log), 2)
        self.assertEqual(self.results.wrong, [])

    def test_wrong_results_do_not_count(self):
        bad = TIME.replace("VALUE", "1").replace("true", "false")
        rows = self.run_all([self.program("wrong", f"echo '{bad}'"), self.program("crash", "echo why >&2; exit 3"), self.program("mute", ":")])
        self.assertEqual(rows, {})
        self.assertEqual(len(self.results.wrong), 3)
        self.assertIn("crash: rings, rings of 2, 1 thread: status 3: why", self.results.wrong)

    def test_skips_say_why(self):
        self.run_all([self.program("p", """echo '{"workload": "rings", "skip": "no collector"}'""")])
        self.assertEqual(self.results.absent, [(WORK, "p", "no collector")])

    def test_curves(self):
        line = '{"curve": "rounds", "unit": "ns", "points": POINTS}'
        first, second = "[[0.5, 10], [0.9, 20], [1, 90]]", "[[0.5, 30], [1, 10]]"
        tell = lambda points: f"echo '{line.replace('POINTS', points)}'"
        self.run_all([self.program("ouro", f"if [ -e {self.log}.2 ]; then {tell(second)}; else touch {self.log}.2; {tell(first)}; fi")])
        (curve,) = [c for c in measure.curves(WORK, self.results) if c["axis"] == "percentiles"]
        self.assertEqual(curve["points"], [[0.5, 20, 10, 30], [1, 50, 10, 90]])

    def test_memory_over_time(self):
        self.run_all([self.program("ouro", f"sleep 0.3; echo '{TIME.replace('VALUE', '1')}'")])
        (curve,) = [c for c in measure.curves(WORK, self.results) if c["axis"] == "time"]
        xs = [p[0] for p in curve["points"]]
        self.assertEqual(xs, sorted(set(xs)))
        self.assertTrue(all(0 < p[2] <= p[1] <= p[3] for p in curve["points"]))


class Plan(unittest.TestCase):
    def test_is_about_what_the_programs_know(self):
        here = os.path.dirname(os.path.abspath(__file__))
        known = {}
        for path in ("c/peer.c", "go/main.go", "java/Peer.java", "python/peer.py", "rust/src/workloads.rs"):
            with open(os.path.join(here, path), encoding="utf-8") as file:
                known[path] = set(re.findall(r'"([a-z-]+)"', file.read()))
        for works in (plan.FULL, plan.QUICK):
            self.assertEqual({work[0] for work in works}, set(plan.WORKLOADS))
        for path, names in known.items():
            self.assertEqual(set(plan.WORKLOADS) - names, set(), path)

    def test_names(self):
        self.assertEqual(plan.named(("pause", 1000000, 2)), "10^6 nodes, beside full collections")
        self.assertEqual(plan.named(("deep", 5000000, 1)), "5·10^6 nodes, 1 thread")
        self.assertEqual(plan.named(("retain-own", 1, 2)), "2 threads")
        names = [(work[0], plan.named(work)) for work in plan.FULL]
        self.assertEqual(len(names), len(set(names)))


if __name__ == "__main__":
    unittest.main()
