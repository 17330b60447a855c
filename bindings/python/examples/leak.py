# SPDX-License-Identifier: MIT
"""Finding a leak: what grows, who holds it, and where it was made."""

import collections
import tracemalloc

import ouro
from ouro import gc, mem

history = ouro.List()  # the culprit


class Server:
    def __init__(self):
        self.sessions = ouro.Dict()

    def handle(self, number):
        session = ouro.Record("session", number=number, items=ouro.List([number] * 10))
        self.sessions[number] = session
        history.append(session)  # "for debugging"
        del self.sessions[number]


def census():
    """How many objects there are of each kind."""
    return collections.Counter(one._name if isinstance(one, ouro.Record) else type(one).__name__ for one in gc.get_objects())


def main():
    server = Server()
    tracemalloc.start()
    gc.collect()
    before = census()
    for number in range(1000):
        server.handle(number)
    gc.collect()  # what is left now is no garbage

    growth = census() - before
    print("1. what grows:", dict(growth.most_common(2)))

    suspect = next(one for one in gc.get_objects() if isinstance(one, ouro.Record) and one._name == "session")
    holders = gc.get_referrers(suspect)
    print("2. who holds a session:", ["history" if holder is history else type(holder).__name__ for holder in holders])

    domain = tracemalloc.DomainFilter(True, mem.TRACEMALLOC_DOMAIN)
    top = tracemalloc.take_snapshot().filter_traces([domain]).statistics("lineno")[0]
    with open(top.traceback[0].filename) as source:
        line = source.read().splitlines()[top.traceback[0].lineno - 1].strip()
    print("3. where they were made:", line)
    tracemalloc.stop()

    del suspect, holders
    history.clear()
    gc.collect()
    print("4. without the history:", census()["session"], "sessions")


if __name__ == "__main__":
    main()
