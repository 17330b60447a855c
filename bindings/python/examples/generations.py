# SPDX-License-Identifier: MIT
"""Generations and thresholds: when collections come by themselves, and what one of a young generation spares."""

import ouro
from ouro import gc


def make_garbage(count):
    for _ in range(count):
        node = ouro.List()
        node.append(node)


def collections():
    return [generation["collections"] for generation in gc.get_stats()]


def main():
    gc.collect()
    print("thresholds:", gc.get_threshold(), "(0: the collector chooses by itself)")

    old = ouro.List(ouro.List([i]) for i in range(50_000))
    gc.collect()  # what there is now is old

    make_garbage(100)
    before = gc.get_stats()
    found = gc.collect(1)
    looked_at = gc.get_stats()[1]["candidates"] - before[1]["candidates"]
    print(f"generation 1: found {found}, and looked at {'few' if looked_at < 25_000 else 'all'} of the {len(old)} old objects")

    make_garbage(100)
    before = gc.get_stats()
    found = gc.collect(2)
    looked_at = gc.get_stats()[2]["candidates"] - before[2]["candidates"]
    print(f"generation 2: found {found}, and looked at {'few' if looked_at < 25_000 else 'all'} of them")

    before = collections()
    make_garbage(300_000)
    by_itself = sum(collections()) - sum(before)
    print("collections by themselves while 300000 cycles were made:", "some" if by_itself else "none")

    with gc.disabled():
        gc.collect()  # one may have been under way
        before = collections()
        make_garbage(100_000)
        print("with gc.disabled():", sum(collections()) - sum(before))

    with gc.frozen():
        before = gc.get_stats()
        gc.collect(2)
        looked_at = gc.get_stats()[2]["candidates"] - before[2]["candidates"]
        print(f"with gc.frozen(): {gc.get_freeze_count() > 50_000 and looked_at < 25_000}, old objects are left alone")

    calls = []
    gc.callbacks.append(lambda phase, info: calls.append((phase, info["generation"])))
    try:
        gc.collect(2)
    finally:
        del gc.callbacks[:]
    print("callbacks:", calls[:2])


if __name__ == "__main__":
    main()
