# SPDX-License-Identifier: MIT
"""A cycle and its collection: counting does not see that it is garbage; the collector does. Also where it leads through both heaps."""

import gc as python_gc
import weakref as python_weakref

import ouro
from ouro import gc, mem, weakref


class Window:
    """An object of Python's own."""

    def __init__(self):
        self.buttons = ouro.List()


def cycle_of_containers():
    parent, child = ouro.Record("node", child=None), ouro.Record("node", parent=None)
    parent.child, child.parent = child, parent
    seen = weakref.ref(parent)
    print("two records, each refers to the other:", mem.live_objects(), "objects")
    del parent, child
    print("no name is left, but each holds the other:", "alive" if seen() else "gone")
    found = gc.collect()
    print("gc.collect() found", found, "and the weak reference says:", seen())


def cycle_through_both_heaps():
    window = Window()
    window.buttons.append(window)  # the list is ouro's, the window is Python's
    seen = python_weakref.ref(window)
    del window
    gc.collect()
    print("after ouro's collector, which does not see into Python's objects:", "alive" if seen() else "gone")
    python_gc.collect()
    print("after Python's collector, which is shown what containers hold:", "alive" if seen() else "gone")


def main():
    gc.disable()  # it would come by itself, but not at the moment at which we look
    try:
        cycle_of_containers()
        cycle_through_both_heaps()
    finally:
        gc.enable()
    print("left:", mem.live_objects(), "objects")


if __name__ == "__main__":
    main()
