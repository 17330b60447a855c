# SPDX-License-Identifier: MIT
"""./dev mutate: what the tests notice when the library is made wrong. tests/mutation/README.md tells how to read the result."""

import argparse
import itertools
import json
import os
import shutil
import sys
import tempfile
import time

from mutants import random_mutants, safeguards
from workshop import CONFIGS, Workshop

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def parse(words):
    parser = argparse.ArgumentParser(prog="./dev mutate", allow_abbrev=False, description=__doc__)
    parser.add_argument("--random", type=int, default=0, metavar="N", help="N random changes of single lines instead of the list of safeguards")
    parser.add_argument("--seed", type=int, default=1, help="of the random changes")
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose names contain it, or one of several, with commas")
    parser.add_argument("--configs", default="dbg,plain,asan,tsan", metavar="NAMES", help="in this order, until a test fails (%(default)s)")
    parser.add_argument("--json", metavar="FILE", help="results, one by one; those that are there already are not tried again")
    parser.add_argument("--table", metavar="FILE", help="print the table of these results, and do nothing else")
    parser.add_argument("--list", action="store_true", help="only show the mutants")
    parser.add_argument("--work", metavar="FOLDER", help="keep what is built there for the next time")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args(words)
    for name in arguments.configs.split(","):
        if name not in CONFIGS:
            parser.error(f"--configs: {name}: takes some of {','.join(CONFIGS)}")
    return arguments


def key(mutant):
    return f"{mutant.path}|{mutant.old}|{mutant.new}"


class Results:
    """In a file, so that a long run can be continued."""

    def __init__(self, path):
        self.path, self.rows = path, {}
        if path and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.rows = {row["key"]: row for row in json.load(file)}

    def add(self, mutant, **values):
        row = {"key": key(mutant), "name": mutant.name, "file": mutant.path, "line": mutant.line, "what": mutant.what,
               "old": mutant.old.strip(), "new": mutant.new.strip(), **values}
        self.rows[row["key"]] = row
        if self.path:
            with open(self.path + ".new", "w", encoding="utf-8") as file:
                json.dump(list(self.rows.values()), file, indent=1)
            os.replace(self.path + ".new", self.path)
        return row


def try_out(mutant, shops):
    """Through the configurations, until a test fails."""
    tried, compiled, differs = [], True, False
    for shop in shops:
        said = shop.change(mutant)
        try:
            if said == "cannot be compiled":
                compiled = False
                break
            if said:
                continue  # what this compiler makes of it is the same
            differs = True
            test, how, count = shop.verdict(mutant)
            tried.append(shop.config)
            if test:
                return {"outcome": "killed", "config": shop.config, "test": test, "how": how, "tests": count}
        finally:
            shop.restore(mutant)
    return {"outcome": "survived" if differs else "same code" if compiled else "not compiled", "configs": tried}


def show(row):
    if row["outcome"] == "killed":
        return f"{row['config']} {row['test']}: {row['how']}"
    return row["outcome"].upper() if row["outcome"] == "survived" else row["outcome"]


def cell(text):
    return "`" + " ".join(text.split()).replace("|", "\\|") + "`" if text.strip() else ""


def table(path):
    last = {row["name"] if row["what"] else row["key"]: row for row in Results(path).rows.values()}  # of a safeguard: with its text of today
    rows = [row for row in last.values() if row["outcome"] in ("killed", "survived")]
    print("| what is wrong | found by | in | how |\n|---|---|---|---|")
    for row in rows:
        what = f"{row['name']}: {row['what']}" if row["what"] else f"`{row['name']}`: {cell(row['old'])} → {cell(row['new']) or 'nothing'}"
        found = f"`{row['test']}` | {row['config']} | {row['how']}" if row["outcome"] == "killed" else "**none** | |"
        print(f"| {what} | {found} |")
    killed = sum(row["outcome"] == "killed" for row in rows)
    print(f"\n{killed} of {len(rows)} found.")


def chosen(arguments):
    mutants = random_mutants(TOP, arguments.seed) if arguments.random else safeguards(TOP)
    return (mutant for mutant in mutants if any(text in mutant.name for text in arguments.only.split(",")))


def main(words):
    arguments = parse(words)
    if arguments.table:
        return table(arguments.table)
    if arguments.list:
        for mutant in itertools.islice(chosen(arguments), arguments.random or None):
            print(f"{mutant.name}: {mutant.what or mutant.old.strip() + '  ->  ' + mutant.new.strip()}")
        return None
    results, work = Results(arguments.json), arguments.work or tempfile.mkdtemp(prefix="ouro-mutation.")
    counts = {"killed": 0, "survived": 0}
    try:
        shops = [Workshop(TOP, os.path.abspath(work), config, arguments.jobs) for config in arguments.configs.split(",")]
        for shop in shops:
            shop.prepare()
        for mutant in chosen(arguments):
            if arguments.random and sum(counts.values()) >= arguments.random:
                break
            started = time.monotonic()
            row = results.rows.get(key(mutant)) or results.add(mutant, **try_out(mutant, shops))
            if row["outcome"] in counts:
                counts[row["outcome"]] += 1
            elif not arguments.random:
                counts["survived"] += 1
                print(f"{mutant.name}: makes no difference to the compiler", flush=True)
            print(f"{time.monotonic() - started:4.0f} s  {mutant.name}: {show(row)}", flush=True)
    finally:
        if not arguments.work:
            shutil.rmtree(work, ignore_errors=True)
    print(f"{counts['killed']} killed, {counts['survived']} survived")
    return 1 if counts["survived"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
