#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Chooses inputs for the corpus by libFuzzer's table of what covers what.

usage: smaller.py TABLE FOLDER: TABLE is the file of -merge_control_file; the chosen are copied into FOLDER, by the hashes of their
content. First one by one those that add the most edges for their size, until all are covered; then, while there is room, those that add the most
features (how often edges are passed, too).
"""
import hashlib
import pathlib
import sys

FILES, BYTES = 96, 190 * 1024


def read_table(path):
    """The inputs' names, and the edges and features of each, by its number.

    A feature is an edge and one of eight ranges of how often it is passed. (The table's lines of edges tell only what is new.)
    """
    lines = path.read_text().splitlines()
    count = int(lines[0])
    names, edges, features = lines[2:2 + count], {}, {}
    for line in lines[2 + count:]:
        word, number, *rest = line.split()
        if word == "FT":
            features[int(number)] = {int(feature) for feature in rest}
            edges[int(number)] = {int(feature) // 8 for feature in rest}
    return names, edges, features


def choose(names, sizes, what, chosen):
    """Adds to the chosen, as long as one covers something new."""
    covered = set().union(*(what.get(i, set()) for i in chosen)) if chosen else set()
    room = BYTES - sum(sizes[i] for i in chosen)
    while len(chosen) < FILES:
        rest = [i for i in what if i not in chosen and sizes[i] <= room and what[i] - covered]
        if not rest:
            break
        best = max(rest, key=lambda i: (len(what[i] - covered) / (sizes[i] + BYTES // FILES), names[i]))
        chosen.append(best)
        covered |= what[best]
        room -= sizes[best]
    return len(covered)


def main(table, folder):
    names, edges, features = read_table(pathlib.Path(table))
    content = [pathlib.Path(name).read_bytes() for name in names]
    sizes = [len(c) for c in content]
    chosen = []
    covered = choose(names, sizes, edges, chosen)
    choose(names, sizes, features, chosen)
    for i in chosen:
        pathlib.Path(folder, hashlib.sha256(content[i]).hexdigest()[:16]).write_bytes(content[i])
    print(f"{len(names)} inputs: {len(chosen)} chosen, {sum(sizes[i] for i in chosen)} bytes, "
          f"{covered} of {len(set().union(*edges.values()))} edges")


main(*sys.argv[1:])
