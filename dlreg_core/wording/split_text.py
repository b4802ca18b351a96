"""What a quick model says about a split, and about whether there are enough rows, in words."""

from __future__ import annotations

from collections.abc import Sequence

from dlreg_core.charts.base import moment_text, span_text
from dlreg_core.checks import (
    FEWEST_GROUPS,
    FEWEST_ROWS,
    ColumnShift,
    RowNeeds,
    SplitAdvice,
    SplitMeasure,
    SplitMeasures,
    TwinCheck,
    TwinsHonesty,
)
from dlreg_core.checks.findings import listed_names
from dlreg_core.formatting import number, percent, quantity
from dlreg_core.specs import ROW_ORDER, RowCounts, Split, split_text

_LISTED = 3
_NOTABLE = 0.05


def advice_words(advice: SplitAdvice, split: Split, unit: str) -> str:
    """Return what was measured of a split: why it was chosen, what it hides, or that no difference was seen.

    Parameters
    ----------
    advice : SplitAdvice
        What was measured, and the split to start with.
    split : Split
        The split that is chosen now.
    unit : str
        Unit of the target.
    """
    measures = advice.measures
    if advice.needed and (split.kind, split.column) == (advice.kind, advice.column):
        return "Chosen because earlier values of the target are used, which must be known before the rows that judge."
    if not measures.measures:
        return (
            f"Whether a random split flatters can't be told from {measures.rows:,} rows: {FEWEST_ROWS} are needed at "
            "least, and they have to differ."
        )
    reason = advice.reason
    if reason is not None and (split.kind, split.column) == (advice.kind, advice.column):
        return f"Chosen because a random split flatters {_times(reason)}: {_errors(reason, unit)}"
    own = measures.of(split.kind, split.column)
    if own is not None:
        return f"{measure_words(own, unit)}"
    if reason is not None and split.kind == "random":
        return f"A random split flatters {_times(reason)}: {_errors(reason, unit)} {_unless(reason)}"
    return _no_difference(measures) if split.kind == "random" else ""


def start_words(advice: SplitAdvice, asked: Split, started: Split, unit: str) -> tuple[str, ...]:
    """Return what the command line says of the split that it starts with, where nobody chose one."""
    lines = [f"Split: {split_name(split_text(started))}. {advice_words(advice, started, unit)}"]
    if advice.kind != "random":
        lines.append("Give --split random where new rows will be like these.")
    if asked.choose_by == "folds" and started.choose_by != "folds":
        lines.append("Folds aren't used: a split by time has validation rows of its own.")
    return (*lines, *filter(None, [row_order_words(advice.measures, unit)]))


def measure_words(found: SplitMeasure, unit: str) -> str:
    """Return by how much a random split flatters for one column: so much, not seen, or not to be told."""
    if found.flatters:
        return f"A random split flatters {_times(found)}: {_errors(found, unit)}"
    if found.quantity:
        return (
            f"{_capital(_errors(found, unit))} But {found.column} measures something, so that its values tell of "
            f"those between them: splitting by it asks for values of {found.column} that nobody has seen."
        )
    if found.unclear:
        low, high = number(found.interval.low, 2), number(found.interval.high, 2)
        return (
            f"Whether a random split flatters for {_asked(found)} can't be told: {low} to {high} × as large an error "
            "fits what was measured."
        )
    return f"For {_asked(found)} no clear difference to a random split is seen: up to {_up_to(found)} × is possible."


def passed_words(measures: SplitMeasures) -> str:
    """Return which columns were measured in less detail or not at all."""
    told = []
    if measures.passed:
        told.append(f"A quicker look at {listed_names([_column_words(name) for name in measures.passed])} saw less.")
    if measures.left_out:
        told.append(f"Not looked at: {listed_names(list(measures.left_out))}.")
    told.append(f"Of categories with fewer than {FEWEST_GROUPS} values it can't be told how rows of others would be.")
    return " ".join(told)


def row_order_words(measures: SplitMeasures, unit: str) -> str:
    """Return that rows which stand near each other are alike; empty where that isn't so."""
    found = measures.of("time", ROW_ORDER)
    if found is None or not found.flatters:
        return ""
    return (
        f"Rows that stand near each other in the file are alike: {_errors(found, unit)} That is {_times(found)}. If "
        "the rows stand in the order in which they came about, split by it."
    )


def twins_honesty_words(found: TwinsHonesty, unit: str) -> str:
    """Return what a random split would hide by near twins on both sides, and what to do."""
    random, honest = quantity(found.random_error, unit), quantity(found.honest_error, unit)
    measured = (
        f"A quick model is off by {random} on average on a random split, and by {honest} when near twins are kept on "
        f"one side: {number(found.times)} times as much (95 %: {number(found.interval.low)} to "
        f"{number(found.interval.high)})."
    )
    if found.flatters:
        return f"{measured} For rows that are really new a random split would promise too much: keep them together."
    return f"{measured} No difference is clear."


def split_line(split: Split, rows: RowCounts) -> str:
    """Return which rows learned and which judged.

    Such as "Split by time: learned to 13 Aug 2024, judged on 6 Oct 2024 to 30 Nov 2024."
    """
    spans = {span.part: span for span in rows.spans}
    train, test = spans.get("train"), spans.get("test")
    if split.kind == "own":
        return f"Judged on the {rows.test:,} rows of an own test file."
    if split.kind == "random":
        how = ", near twins on one side" if split.keep_twins else ""
        return f"Split at random{how}: judged on {rows.test:,} rows drawn by chance."
    if train is None or test is None:
        return f"Split by {split.kind}: {_column_words(split.column)}."
    if split.kind == "group":
        return (
            f"Split by {split.column}: learned from {train.groups:,} of them, judged on {test.groups:,} others "
            f"({rows.test:,} rows)."
        )
    by = "time" if isinstance(test.first, str) else _column_words(split.column)
    one, several = ("row ", "rows ") if split.column == ROW_ORDER else ("", "")
    learned = moment_text(train.last) if train.last is not None else ""
    return f"Split by {by}: learned to {one}{learned}, judged on {several}{span_text(test)}."


def split_name(text: str) -> str:
    """Return a split as lists of runs name it: "random", "by time: Date", "by group: shop", "own test file"."""
    kind, _, column = text.partition(":")
    if kind in ("time", "group"):
        return f"by {kind}: {_column_words(column)}"
    return "own test file" if kind == "own" else kind


def _times(found: SplitMeasure) -> str:
    low, high = number(found.interval.low, 2), number(found.interval.high, 2)
    return f"{number(found.times, 2)} × here ({low} to {high})"


def _errors(found: SplitMeasure, unit: str) -> str:
    random, honest = quantity(found.random_error, unit), quantity(found.honest_error, unit)
    return f"for {_asked(found)} a quick model is off by {honest} on average, and by {random} when {_kin(found)}."


def _asked(found: SplitMeasure) -> str:
    if found.column == ROW_ORDER:
        return "rows further down"
    return f"rows of later {found.column}" if found.kind == "time" else f"rows of a new {found.column}"


def _kin(found: SplitMeasure) -> str:
    if found.kind == "group":
        return f"it has learned from others of the same {found.column}"
    return "it has learned from rows around them"


def _unless(found: SplitMeasure) -> str:
    if found.kind == "time":
        return f"Split by {found.column}, unless new rows will be of the same time as these."
    return f"Split by {found.column}, unless every {found.column} that you will predict is in this table."


def _no_difference(measures: SplitMeasures) -> str:
    """Return of which columns no difference was seen, and of which it can't be told."""
    plain = [one for one in measures.measures if not (one.flatters or one.quantity)]
    seen = [f"{_column_words(one.column)} (up to {_up_to(one)} × possible)" for one in plain if not one.unclear]
    open_ = [
        f"{_column_words(one.column)} ({number(one.interval.low, 2)} to {number(one.interval.high, 2)} × possible)"
        for one in plain
        if one.unclear
    ]
    told = []
    if seen:
        told.append(f"no clear difference is seen by {listed_names(seen)}")
    if open_:
        told.append(f"{'it' if seen else 'whether it flatters'} can't be told by {listed_names(open_)}")
    if not told:
        return "A random split was measured against others."
    return f"A random split was measured: {'; '.join(told)}."


def _up_to(found: SplitMeasure) -> str:
    return number(max(1.0, found.interval.high), 3)


def _column_words(column: str | None) -> str:
    return "the order of the rows" if column == ROW_ORDER else str(column)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


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


def shift_words(found: Sequence[ColumnShift]) -> str:
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


def _one_shift(shift: ColumnShift) -> str:
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
