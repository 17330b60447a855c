# SPDX-License-Identifier: MIT
"""./dev bench with --peers or --report: runs the benchmarks, the same work in the peers, and makes the page.

run.py --bin FOLDER [ARGS]: FOLDER has `bench` and, for --peers, `peers_ouro`. ARGS are those of ./dev bench."""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile

INTERRUPTED = 130
HERE = os.path.dirname(os.path.abspath(__file__))


def parse(words):
    parser = argparse.ArgumentParser(prog="./dev bench", allow_abbrev=False)
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--cpu-time", action="store_true")
    parser.add_argument("--only", metavar="NAMES")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--report", metavar="PAGE")
    parser.add_argument("--peers", nargs="?", const="", metavar="PEERS")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--limit", type=float)
    parser.add_argument("--fetch", action="store_true")
    arguments = parser.parse_args(words)
    if arguments.peers is None and (arguments.rounds or arguments.seconds or arguments.limit or arguments.fetch):
        parser.error("--rounds, --seconds, --limit and --fetch are for --peers")
    return arguments


def names_of(command):
    listed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [line.split()[0] for line in listed.splitlines() if line]


def split(only, own, others):
    """The names that the benchmarks know, and those that the peers know; a name may be both."""
    wanted = only.split(",")
    for name in wanted:
        if name not in own and name not in others:
            sys.exit(f"./dev bench: --only: no such benchmark: {name}; see --list")
    return [name for name in wanted if name in own], [name for name in wanted if name in others]


def option(name, value):
    return [f"--{name}", str(value)] if value else []


def main(words):
    arguments = parse(words)
    bench, driver = os.path.join(arguments.bin, "bench"), [sys.executable, "-B", os.path.join(HERE, "peers", "run")]
    with_peers, own, others = arguments.peers is not None, None, None
    if arguments.peers and "ouro" not in arguments.peers.split(","):
        arguments.peers = "ouro," + arguments.peers  # what the others are compared with
    if arguments.only:
        own, others = split(arguments.only, names_of([bench, "--list"]), names_of([*driver, "--names"]) if with_peers else [])
    flags = ["--quick"] * arguments.quick
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        made = os.path.join(folder, "run.json")
        onto = []
        if own or own is None:
            status = subprocess.call([bench, *flags, *["--cpu-time"] * arguments.cpu_time, *option("only", ",".join(own or [])), "--json", made])
            if status > 1:
                return status
            onto = ["--onto", made]
        if with_peers and (others or others is None):
            command = [*driver, *flags, *onto, *option("only", ",".join(others or [])), *option("peers", arguments.peers),
                       *option("rounds", arguments.rounds), *option("seconds", arguments.seconds), *option("limit", arguments.limit),
                       *["--fetch"] * arguments.fetch, "--ouro", os.path.join(arguments.bin, "peers_ouro"), "--json", made]  # fmt: skip
            print()
            try:
                more = subprocess.call(command)
            except KeyboardInterrupt:
                more = INTERRUPTED  # what there is so far is written
            if more not in (0, 1, INTERRUPTED):
                return more
            status = max(status, more)
        if not os.path.exists(made):
            return status
        if arguments.json:
            with open(made, encoding="utf-8") as source, open(arguments.json, "w", encoding="utf-8") as target:
                target.write(source.read())
        if arguments.report:
            if subprocess.call([sys.executable, "-B", os.path.join(HERE, "report", "report.py"), arguments.report, made]):
                return 2
            print(f"report in {shlex.quote(arguments.report)}")
    return status


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
