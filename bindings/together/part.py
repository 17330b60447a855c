# SPDX-License-Identifier: MIT
"""What Python does in host.c. Each function takes a token or a number, and gives one."""

import gc
import weakref

import ouro


class Thing:
    pass


things = weakref.WeakSet()


def extend(token):
    """Ann gets to know Bob, who has a thing, and Bob gets to know her: a cycle through Lua's and Python's objects."""
    ann = ouro.import_(token)
    thing = Thing()
    things.add(thing)
    bob = ouro.Record("person", name="Bob", knows=ouro.List([ann]), language="Python", extra=thing)
    ann.knows.append(bob)
    assert ann.knows[0].knows[0] is ann
    return ouro.export(ann)


def alive():
    """How many things there are."""
    gc.collect()
    return len(things)


def collect():
    return ouro.gc.collect()


def forget(token):
    """The last reference to a list goes. How long it was?"""
    return len(ouro.import_(token))


def work(token, me):
    """As in part.lua."""
    shared = ouro.import_(token)
    done, rings, steps = shared.done, shared.rings, shared.steps
    for i in range(1, steps + 1):
        done.add(me * steps + i)
        ring = ouro.List([rings, Thing()])
        ring.append(ring)
        place = i % len(rings)
        assert len(rings[place]) == 3
        rings[place] = ring
    return steps
