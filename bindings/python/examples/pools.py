# SPDX-License-Identifier: MIT
"""Pools: memory of objects that have gone is used again at once, and given back to the system when asked, or after a while."""

import time

import ouro
from ouro import mem


def show(step):
    stats = mem.stats()
    print(f"{step:40} live {stats['live_bytes'] / 1e6:5.1f} MB, from the system {stats['committed_bytes'] / 1e6:5.1f} MB")
    return stats


def settle():
    """Until no reader can have the dead in hand, and no collection looks at their memory: some milliseconds."""
    ouro.gc.collect()
    while mem.stats()["limbo_bytes"]:
        time.sleep(0.001)


def main():
    mem.trim()
    show("at the beginning")
    lists = ouro.List(ouro.List([i]) for i in range(100_000))
    full = show("100000 lists")

    lists.clear()
    empty = show("dropped")
    assert empty["live_bytes"] < full["live_bytes"] / 10

    settle()
    lists.extend(ouro.List([i]) for i in range(100_000))
    again = show("as many again: the same memory")
    assert again["committed_bytes"] < 1.5 * full["committed_bytes"]

    lists.clear()
    settle()
    given_back = mem.trim()
    trimmed = show("dropped, and mem.trim()")
    print("given back:", "most of it" if trimmed["committed_bytes"] < full["committed_bytes"] / 2 and given_back else "nothing")

    with mem.limit(hard=mem.stats()["committed_bytes"] + 4_000_000):
        try:
            lists.extend(ouro.List([i]) for i in range(100_000))
        except MemoryError as error:
            print("with a limit:", error)
    print("the list is as it was:", len(lists))


if __name__ == "__main__":
    main()
