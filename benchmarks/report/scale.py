# SPDX-License-Identifier: MIT
"""Numbers on paper: scales with their ticks, and how a number is written."""

import math

_TIME = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
LOG_FROM = 60  # a greater range than this, and short bars could no longer be told from none


def number(value):
    """Three digits that count, thousands kept apart, no exponent."""
    if value == 0:
        return "0"
    digits = 2 - math.floor(math.log10(abs(value)))
    rounded = round(value, digits) if digits < 0 else value
    whole = float(value).is_integer() and abs(value) < 1000
    return f"{value if digits < 0 and abs(value) < 1e5 else rounded:,.{0 if whole else min(max(digits, 0), 6)}f}".replace(",", "\u202f")


def tick(value):
    """As short as it can be: a tick is a round number."""
    text = f"{value:,.6f}".rstrip("0").rstrip(".").replace(",", "\u202f")
    return "0" if text in ("-0", "") else text


def quantity(value, unit, write=number):
    """A number with its unit; times in the unit in which they are short, ratios as multiples."""
    if unit in _TIME and value > 0:
        seconds = value * _TIME[unit]
        fitting = [name for name, size in _TIME.items() if size <= seconds * (1 + 1e-9)]
        name = fitting[-1] if fitting else "ns"
        short = float(f"{seconds / _TIME[name]:.9g}")  # a thousand nanoseconds are not 1.0000000000000002 microseconds
        return f"{write(short)} {'µs' if name == 'us' else name}"
    if unit == "ratio":
        return f"{write(value)} ×"
    return f"{write(value)} {unit}".strip()


def nice_step(span, wanted):
    """The step of 1, 2 or 5 times a power of ten that cuts span into at most `wanted` parts."""
    power = 10 ** math.floor(math.log10(span / wanted))
    return next(m * power for m in (1, 2, 5, 10, 20) if span / (m * power) <= wanted)


class Linear:
    """From 0 or below to the greatest; bars have lengths on it."""

    is_log = False

    def __init__(self, values, begin, end, wanted=6):
        low, high = min(0, *values), max(0, *values)
        high = high if high > low else low + 1
        step = nice_step(high - low, wanted)
        self.low, self.high = math.floor(low / step) * step, math.ceil(high / step - 1e-9) * step
        self.ticks = [self.low + i * step for i in range(round((self.high - self.low) / step) + 1)]
        self.begin, self.end = begin, end

    def at(self, value):
        return self.begin + (self.end - self.begin) * (value - self.low) / (self.high - self.low)


class Log:
    """Values above 0; those outside are drawn at the edge."""

    is_log = True

    def __init__(self, values, begin, end, wanted=8):
        low, high = math.log10(min(values)), math.log10(max(values))
        self.low, self.high = math.floor(low + 1e-9), max(math.ceil(high - 1e-9), math.floor(low + 1e-9) + 1)
        every = math.ceil((self.high - self.low) / wanted)
        self.ticks = [10.0**i for i in range(self.low, self.high + 1, every)]
        if self.high - self.low <= 2:
            self.ticks = [m * 10.0**i for i in range(self.low, self.high) for m in (1, 2, 5)] + [10.0**self.high]
        self.begin, self.end = begin, end

    def at(self, value):
        position = math.log10(value) if value > 0 else self.low
        share = (min(max(position, self.low), self.high) - self.low) / (self.high - self.low)
        return self.begin + (self.end - self.begin) * share


def fitting(values, begin, end):
    """Linear, or logarithmic where the range is too large for that."""
    if min(values) > 0 and max(values) / min(values) > LOG_FROM:
        return Log(values, begin, end)
    return Linear(values, begin, end)


def nines(share):
    """Where the share of samples (below 1) stands on an axis that gives each further nine the same room."""
    return -math.log10(1 - share)


def percent(share):
    return f"{100 * share:.10f}".rstrip("0").rstrip(".") + " %"
