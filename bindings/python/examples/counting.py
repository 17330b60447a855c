# SPDX-License-Identifier: MIT
"""Reference counting, step by step: what adds a reference, what takes one away, and that the last one takes the object with it."""

import ouro
from ouro import mem, weakref


def show(step, object):
    print(f"{step:44} {mem.getrefcount(object)}")


def main():
    letters = ouro.List("abc")
    weakref.finalize(letters, print, "the list is gone")
    show("made: the Python object holds it", letters)

    alias = letters
    show("another name is not another reference", letters)

    outer = ouro.List([letters, letters])
    show("twice in a list", letters)

    by_name = ouro.Dict(letters=letters)
    show("in a dict, too", letters)

    outer.pop()
    show("taken out of the list once", letters)

    del by_name
    show("the dict is gone, with its reference", letters)

    found = outer[0]
    assert found is letters
    show("got out again: the same Python object", letters)

    del letters, alias, found
    print("no name is left: the list still holds it: ", outer[0])
    outer.clear()
    print("cleared: that was the last reference")


if __name__ == "__main__":
    main()
