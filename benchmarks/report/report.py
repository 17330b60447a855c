# SPDX-License-Identifier: MIT
"""report.py PAGE [LABEL=]RUN.json...: makes one HTML page of one run, or of several side by side."""

import sys

import page
import runs


def main(arguments):
    if len(arguments) < 2 or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        text = page.page(runs.load_all(arguments[1:]), "ouro: benchmarks")
    except runs.Malformed as error:
        print(f"report: {error}", file=sys.stderr)
        return 2
    try:
        page.write(arguments[0], text)
    except OSError as error:
        print(f"report: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
