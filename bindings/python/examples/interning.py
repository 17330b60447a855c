# SPDX-License-Identifier: MIT
"""Interning: equal strings as one object. It saves memory, and comparing them is comparing two words."""

import ouro
from ouro import mem


def bytes_of(make):
    before = mem.live_bytes()
    made = make()
    return mem.live_bytes() - before, made


def main():
    words = ["colour", "weight", "temperature of the water"] * 20_000
    plain = ["".join(list(word)) for word in words]  # 60000 str objects of Python's
    interned = [ouro.intern(word) for word in plain]  # three

    size_plain, a = bytes_of(lambda: ouro.List(plain))
    size_interned, b = bytes_of(lambda: ouro.List(interned))
    print("60000 strings, each an object:", f"{size_plain / 60_000:.0f} bytes each")
    print("60000 strings, interned:      ", f"{size_interned / 60_000:.0f} bytes each")
    print("equal all the same:", a == b)
    print("one object in Python:", ouro.intern("".join(["col", "our"])) is interned[0])

    small = ouro.List([256, 257, 10**6])
    print("small integers are no objects at all:", mem.total_size(small) - mem.total_size(ouro.List([None] * 3)), "bytes for three")


if __name__ == "__main__":
    main()
