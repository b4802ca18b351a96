"""A batch of a column → its values as planned, and what is noticed on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.arrow import compute as pc
from dlreg_core.ingest.batches.column_plan import MOST_EVIDENCE, ColumnPlan, Misfit, ReaderKind
from dlreg_core.ingest.batches.date_reader import MomentReader
from dlreg_core.ingest.batches.level_counts import LevelCounter
from dlreg_core.ingest.batches.measure_reader import MeasureReader
from dlreg_core.ingest.inference.column_values import is_dated, plain_values
from dlreg_core.ingest.inference.numbers.text_numbers import MISSING, as_numbers, encode, numerals

_MISSING = pa.array(MISSING)
_NO_NUMBER = pa.scalar(None, pa.float64())


class ColumnReader:
    """Reads the batches of one column, one after the other.

    Attributes
    ----------
    plan : ColumnPlan
        How.
    decimal : str
        Decimal mark of the file.
    missing : int
        Rows without a value in the file.
    infinite : int
        Numbers that aren't finite.
    measures : MeasureReader
        What is seen beside the numbers of a column of numbers with a unit, or with a few values that are none.
    moments : MomentReader
        What is noticed of dates, times of day and durations.
    tally : LevelCounter, optional
        The distinct values of a column of texts.
    only_empty : bool
        Whether every field is empty.
    of_texts : bool
        Whether the file has texts.
    """

    def __init__(self, plan: ColumnPlan, decimal: str) -> None:
        self.plan = plan
        self.missing = self.infinite = 0
        self.measures = MeasureReader(plan)
        self.moments = MomentReader(plan)
        self.tally = LevelCounter(plan.name, all_levels=plan.sure) if plan.kind is ReaderKind.TEXT else None
        self.only_empty = True
        self.of_texts = False
        self.decimal = decimal
        self._widths: set[int] = set()
        self._some: set[str] = set()
        self._leading_zeros = self._signed = False

    def read(self, column: pa.Array) -> tuple[pa.Array, NDArray[np.uint64]]:
        """Return the values of a batch in the type of the plan, and a hash of each; `Misfit` where they don't fit."""
        self.of_texts = pa.types.is_string(column.type)
        if self.plan.kind is ReaderKind.TEXT:
            return self._texts(column)
        if not pa.types.is_string(column.type):
            values = self._typed(column)
        elif self.plan.kind is ReaderKind.DATE:
            values = self._dates(column)
        elif self.plan.kind is ReaderKind.DURATION:
            values = self._durations(column)
        elif self.plan.kind is ReaderKind.MEASURE:
            coded = encode(pa.chunked_array([column]))
            self.missing += coded.codes.null_count
            values = self.measures.read(coded)
            self.infinite = self.measures.infinite
        else:
            values = self._numbers(column)
        return values, _hashes(values)

    def check(self) -> None:
        """Look at the column as a whole, after its last batch."""
        # Whole numbers of one length of which some begin with 0 are codes.
        self.measures.check()
        of_one_length = len(self._widths) == 1 and len(self._some) > 1 and not self._signed
        if self.plan.kind is ReaderKind.WHOLE and not self.plan.codes and self._leading_zeros and of_one_length:
            raise Misfit
        self.moments.check()

    def _typed(self, column: pa.Array) -> pa.Array:
        missing = pc.sum(pc.is_null(column, nan_is_null=True)).as_py() or 0
        if is_dated(column.type):
            self.missing += missing
            return self.moments.typed(column)
        values = plain_values(self.plan.name, pa.chunked_array([column]))
        if values.type != self.plan.arrow_type:
            if not (pa.types.is_integer(values.type) and self.plan.kind is ReaderKind.FRACTION):
                raise Misfit(column)
            values = values.cast(pa.float64(), safe=False)
        self.missing += missing
        self.infinite += values.null_count - missing
        return values

    def _numbers(self, column: pa.Array) -> pa.Array:
        target = self.plan.arrow_type
        values = self._quick(column, target)
        if values is None:
            return self._careful(column, target)
        return values

    def _quick(self, column: pa.Array, target: pa.DataType) -> pa.Array | None:
        """Read plain numbers; None where some are written in another way."""
        text = column
        if self.plan.form.decimal == ",":
            if pc.any(pc.match_substring(column, ".")).as_py():
                return None
            text = pc.replace_substring(column, ",", ".")
        whole = self.plan.kind is ReaderKind.WHOLE
        # What Arrow takes for a number and no person does: 0x1F.
        if whole and pc.any(pc.match_substring(text, "x", ignore_case=True), min_count=0).as_py():
            return None
        try:
            values = text.cast(target)
        except pa.ArrowInvalid:
            trimmed = pc.utf8_trim_whitespace(text)
            known = pc.if_else(pc.is_in(trimmed, value_set=_MISSING), pa.scalar(None, pa.string()), trimmed)
            try:
                values = known.cast(target)
            except pa.ArrowInvalid:
                return None
        if whole:
            self._look_for_codes(text)
        return self._finite(values, values.null_count)

    def _look_for_codes(self, text: pa.Array) -> None:
        if len(self._widths) < 2:
            trimmed = pc.utf8_trim_whitespace(text)
            known = trimmed.filter(pc.invert(pc.is_in(trimmed, value_set=_MISSING)))
            self._widths |= set(pc.utf8_length(known).unique().to_pylist()[:2])
            if len(self._some) < 2:
                self._some |= set(known.unique()[:2].to_pylist())
            zeros = known.filter(pc.starts_with(known, "0"))
            self._leading_zeros |= bool(pc.any(pc.greater(pc.utf8_length(zeros), 1), min_count=0).as_py())
            self._signed |= bool(pc.any(pc.match_substring_regex(known, r"^[+-]"), min_count=0).as_py())

    def _finite(self, values: pa.Array, missing: int) -> pa.Array:
        if pa.types.is_floating(values.type):
            # What is written "nan" counts as missing, what is written "inf" as not finite.
            undefined = pc.sum(pc.is_nan(values)).as_py() or 0
            values = pc.if_else(pc.is_finite(values), values, _NO_NUMBER)
            missing += undefined
            self.infinite += values.null_count - missing
        self.missing += missing
        return values

    def _careful(self, column: pa.Array, target: pa.DataType) -> pa.Array:
        coded = encode(pa.chunked_array([column]))
        if not len(coded.levels):
            self.missing += len(column)
            return pa.nulls(len(column), target)
        plain = numerals(coded.levels, self.plan.form.decimal)
        numbers = None if plain.null_count else as_numbers(plain)
        if numbers is None or (pa.types.is_floating(numbers.type) and pa.types.is_integer(target)):
            raise Misfit(coded.levels[:MOST_EVIDENCE])
        if self.plan.kind is ReaderKind.WHOLE:
            self._look_for_codes(plain)
        values = coded.spread(numbers.cast(target, safe=False))
        self.missing += coded.codes.null_count
        self.infinite += values.null_count - coded.codes.null_count
        return values

    def _dates(self, column: pa.Array) -> pa.Array:
        values = self.moments.quick(column)
        if values is not None:
            self.missing += column.null_count
            return values
        coded = encode(pa.chunked_array([column]))
        self.missing += coded.codes.null_count
        if not len(coded.levels):
            return pa.nulls(len(column), pa.timestamp("ns"))
        return coded.spread(self.moments.dates(coded))

    def _durations(self, column: pa.Array) -> pa.Array:
        coded = encode(pa.chunked_array([column]))
        self.missing += coded.codes.null_count
        if not len(coded.levels):
            return pa.nulls(len(column), self.plan.arrow_type)
        return coded.spread(self.moments.durations(coded))

    def _texts(self, column: pa.Array) -> tuple[pa.Array, NDArray[np.uint64]]:
        coded = encode(pa.chunked_array([column]))
        if self.only_empty:
            self.only_empty = not len(coded.levels) and _all_empty(column)
        self.missing += coded.codes.null_count
        assert self.tally is not None
        hashes = self.tally.add(coded)
        return coded.spread(coded.levels), hashes


def _all_empty(column: pa.Array) -> bool:
    return bool(pc.all(pc.equal(pc.utf8_trim_whitespace(column), ""), min_count=0).as_py())


def _hashes(values: pa.Array) -> NDArray[np.uint64]:
    """Return a number for each value: the same for equal ones, and hardly ever for others."""
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.int64())
    nulls = values.null_count
    zero: Any = 0
    filled = values.fill_null(zero) if nulls else values
    plain = filled.to_numpy(zero_copy_only=False)
    if plain.dtype == np.float64:
        # 0.0 and -0.0 are equal but differ in a bit.
        plain = plain + 0.0
    hashes: NDArray[np.uint64] = plain.view(np.uint64).copy()
    if nulls:
        hashes[values.is_null().to_numpy(zero_copy_only=False)] = np.uint64(0x9E3779B97F4A7C15)
    return hashes
