"""What a quick model says about a split, and about whether there are enough rows, in words."""

from __future__ import annotations

from collections.abc import Sequence

from dlreg_core.charts.numbers import number, percent, quantity
from dlreg_core.prepare.honesty import SplitHonesty
from dlreg_core.prepare.row_needs import RowNeeds
from dlreg_core.prepare.shift import Shift
from dlreg_core.prepare.twins import TwinCheck
from dlreg_core.specs import RowCounts, Split

_LISTED = 3
_NOTABLE = 0.05


def honesty_words(found: SplitHonesty, unit: str) -> str:
    """Return what a random split would hide, and what to do."""
    random, honest = quantity(found.random_error, unit), quantity(found.honest_error, unit)
    how = "near twins are kept on one side" if found.kind == "twins" else f"it is split by {found.column}"
    measured = (
        f"A quick model is off by {random} on average on a random split, and by {honest} when {how}: "
        f"{number(found.times)} times as much (95 %: {number(found.interval.low)} to {number(found.interval.high)})."
    )
    if found.flatters and found.kind == "twins":
        return f"{measured} For rows that are really new a random split would promise too much: keep them together."
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


def twin_words(found: TwinCheck, *, own: bool) -> str:
    """Return how many test rows have a near twin in training, and what that means."""
    where = "in the table" if own else "among the rows that train"
    verb = "row has" if found.twins == 1 else "rows have"
    counted = f"{found.twins:,} of {found.looked_at:,} test {verb} a near twin {where} ({percent(found.share)})"
    if not found.matters:
        return f"{counted}: no more than chance makes, or too few to matter."
    meaning = "The networks know them nearly by heart, so that the test promises too much for rows that are really new."
    repair = " Leave such rows out of the test file." if own else " Keep near twins on one side."
    return f"{counted}, and nearly its target. {meaning}{repair}"


def shift_words(found: Sequence[Shift]) -> str:
    """Return which columns are otherwise in the test rows than in the training rows; empty where none is."""
    if not found:
        return ""
    told = "; ".join(_one_shift(shift) for shift in found[:_LISTED])
    more = f"; and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    columns = "1 column is" if len(found) == 1 else f"{len(found)} columns are"
    return (
        f"The test rows are unlike the training rows: {columns} distributed otherwise. {told}{more}. "
        "The test then tells how well the networks do on such rows, not on rows like those of training."
    )


def _one_shift(shift: Shift) -> str:
    if isinstance(shift.train, float) and isinstance(shift.test, float):
        told = f"{shift.column} is {number(shift.train)} in the middle of the training rows, {number(shift.test)} there"
        return f"{told}, {percent(shift.new)} beyond all values learned from" if shift.new >= _NOTABLE else told
    if shift.train == shift.test or shift.new >= _NOTABLE:
        return f"{shift.column}: {percent(shift.new)} of the test rows have values that training never sees"
    return f"{shift.column}: more {shift.test}, less {shift.train}"


def folds_words(counts: RowCounts, split: Split) -> str:
    """Return what is done with the folds; empty where there are none."""
    if not counts.folds:
        return ""
    if split.kind == "group":
        how = f"the rows of one {split.column} stay in one fold"
    else:
        how = "each fold has small and large targets in the same proportions"
    return (
        f"{counts.folds} folds: each network is trained {counts.folds} times, without one of them each time, and "
        f"{how}. {_judged(split)}"
    )


def _judged(split: Split) -> str:
    return "Your test file judges." if split.kind == "own" else "The test rows are in none of them."
