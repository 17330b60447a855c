# SPDX-License-Identifier: MIT
"""A generator against a list: one value at a time, or all of them at once."""

import tracemalloc

import ouro


def squares(count):
    for i in range(count):
        yield i * i


def peak_of(action):
    """The most memory that was in use meanwhile, ouro's objects included, and the result."""
    tracemalloc.start()
    result = action()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, result


def main():
    count = 100_000
    peak_list, a = peak_of(lambda: sum(ouro.List(squares(count))))
    peak_generator, b = peak_of(lambda: sum(squares(count)))
    assert a == b == sum(i * i for i in range(count))
    print(f"sum over a List of {count}:      more than 800 kB: {peak_list > 800_000}")
    print(f"sum over a generator:            less than 100 kB: {peak_generator < 100_000}")

    numbers = ouro.List(range(10))
    iterator = iter(numbers)
    print("an iterator holds the list, not a copy:", next(iterator), next(iterator), end=" ")
    numbers[2] = "changed"
    print(next(iterator))


if __name__ == "__main__":
    main()
