"""What a quick model says about a split, and about whether there are enough rows, in words."""

from __future__ import annotations

from dlreg_core.charts.numbers import number, percent, quantity
from dlreg_core.prepare.honesty import SplitHonesty
from dlreg_core.prepare.row_needs import RowNeeds


def honesty_words(found: SplitHonesty, unit: str) -> str:
    """Return what a random split would hide, and what to do."""
    random, honest = quantity(found.random_error, unit), quantity(found.honest_error, unit)
    measured = (
        f"A quick model is off by {random} on average on a random split, and by {honest} when it is split by "
        f"{found.column}: {number(found.times)} times as much "
        f"(95 %: {number(found.interval.low)} to {number(found.interval.high)})."
    )
    if found.flatters:
        meaning = "later rows" if found.kind == "time" else f"rows of a new {found.column}"
        return f"{measured} For {meaning} a random split would promise too much: split by {found.column}."
    return f"{measured} A random split hides nothing here."


def row_needs_words(found: RowNeeds, unit: str) -> str:
    """Return whether more rows would help, and how much."""
    first, last = quantity(found.errors[0], unit), quantity(found.errors[-1], unit)
    few, many = f"{found.rows[0]:,}", f"{found.rows[-1]:,}"
    measured = f"With {few} rows a quick model is off by {first} on average, with {many} by {last}."
    low, high = found.interval.low, found.interval.high
    between = f"95 %: {percent(low)} to {percent(high)}" if low > 0 else f"95 %: up to {percent(max(high, 0.0))}"
    if found.helps:
        return f"{measured} Twice as many rows could take away another {percent(found.by_doubling)} of it ({between})."
    return f"{measured} More rows of this kind would hardly help ({between}): other columns might."
