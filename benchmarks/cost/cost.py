# SPDX-License-Identifier: MIT
"""./dev bench --cost: instructions per operation, counted by callgrind: a number that does not depend on what else the machine does.

cost.py PROGRAM [--only NAMES] [--json FILE]. Each operation is done n and 2n times; the difference is n of them, with what the library's own
threads do for them. Locked instructions (atomic read-modify-writes) are counted apart: each is some 20 cycles, or a wait for a cache line."""

import argparse
import json
import re
import subprocess
import sys

TIMES = 20000  # a multiple of what a collection looks at
FEWER = {"full-nothing": 20}  # how often, where one is much
LOOP = "empty"  # the loop around each operation
UNLOOPED = {"full-live", "full-private"}  # which are done once for many objects


def counted(program, name, times):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-bus=yes", program, name, str(times)]
    run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    found = re.search(r"Collected : (\d+) (\d+)", run.stderr)
    if run.returncode or not found:
        sys.exit(f"{' '.join(command)}\n{run.stderr}")
    return int(found.group(1)), int(found.group(2))


def cost(program, name):
    times = FEWER.get(name, TIMES)
    once, twice = counted(program, name, times), counted(program, name, 2 * times)
    return [(two - one) / times for one, two in zip(once, twice)]


def listed(program):
    lines = subprocess.run([program, "--list"], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return dict(line.split(maxsplit=1) for line in lines)


def main(words):
    parser = argparse.ArgumentParser(prog="./dev bench --cost", allow_abbrev=False)
    parser.add_argument("program", help=argparse.SUPPRESS)
    parser.add_argument("--only", metavar="NAMES")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args(words)
    operations = listed(arguments.program)
    chosen = arguments.only.split(",") if arguments.only else [name for name in operations if name != LOOP]
    for name in chosen:
        if name not in operations:
            parser.error(f"no such operation: {name}; there are {', '.join(operations)}")
    loop, rows = cost(arguments.program, LOOP), []
    print("| operation | instructions | of these locked |\n|---|---:|---:|")
    for name in chosen:
        instructions, locked = cost(arguments.program, name)
        instructions -= 0 if name in UNLOOPED else loop[0]
        rows.append({"name": name, "instructions": instructions, "locked": locked})
        print(f"| {operations[name]} | {instructions:.1f} | {locked:.1f} |", flush=True)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main(sys.argv[1:])
