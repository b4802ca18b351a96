"""Batches of a column of numbers with a unit, or with a few values that are none: read, and judged as a whole."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from dlreg_core.ingest.batches.column_plan import MOST_EVIDENCE, ColumnPlan, Misfit, ReaderKind
from dlreg_core.ingest.inference.numbers.number_columns import (
    StrayCounts,
    bare_is_clear,
    codes_by_length,
    few_strays,
    read_as,
)
from dlreg_core.ingest.inference.numbers.text_numbers import Coded

_MOST_STRAYS = 10_000
_MOST_EXACT = 2.0**53
_SEVERAL = 2
"""A single number with leading zeros is no column of codes."""


class MeasureReader:
    """Reads the batches of one column, and counts what stands beside its numbers."""

    def __init__(self, plan: ColumnPlan) -> None:
        self._plan = plan
        self._known = self._bare = self._alone = 0
        self._strays: dict[str, int] = {}
        self._spellings: dict[str, int] = {}
        self._zeros = True
        self._lengths: set[int] = set()
        self._leading = False
        self._some: set[str] = set()
        self.infinite = 0

    def read(self, coded: Coded) -> pa.Array:
        """Return the numbers of a batch; `Misfit` where the plan isn't how they are written."""
        plan, levels = self._plan, coded.levels
        if not len(levels):
            return pa.nulls(len(coded.codes), plan.arrow_type)
        cells = read_as(levels, coded.tally.counts, plan.unit, plan.form)
        if cells.numbers is None or (cells.foreign and not plan.sure) or (plan.whole and not _are_whole(cells.numbers)):
            raise Misfit(levels[:MOST_EVIDENCE])
        if cells.beyond(plan.unit):
            raise Misfit(levels[:MOST_EVIDENCE])
        self._count(cells.aside, cells.spellings)
        self._zeros = self._zeros and cells.zeros
        self._lengths |= cells.lengths
        self._leading = self._leading or cells.any_leading_zero
        if len(self._some) < _SEVERAL:
            self._some |= set(cells.plain.unique()[:_SEVERAL].to_pylist())
        if len(self._strays) > _MOST_STRAYS and not plan.sure:
            raise Misfit(levels[:MOST_EVIDENCE])
        values = coded.spread(cells.numbers.cast(plan.arrow_type, safe=False))
        self.infinite += values.null_count - coded.codes.null_count - cells.aside.alone - cells.aside.stray_rows
        return values

    def _count(self, aside: StrayCounts, spellings: dict[str, int]) -> None:
        self._known += aside.known
        self._bare += aside.bare
        self._alone += aside.alone
        for found, counted in ((dict(aside.strays), self._strays), (spellings, self._spellings)):
            for text, rows in found.items():
                counted[text] = counted.get(text, 0) + rows

    @property
    def aside(self) -> StrayCounts:
        """What stands beside the numbers of all batches."""
        listed = sorted(self._strays.items(), key=lambda item: (-item[1], item[0]))
        return StrayCounts(self._known, self._bare, self._alone, tuple(listed))

    @property
    def unit(self) -> str:
        """The unit as it is written most often."""
        return max(self._spellings, key=lambda unit: self._spellings[unit]) if self._spellings else self._plan.unit

    def check(self) -> None:
        """Raise `Misfit` where the column as a whole isn't one of numbers."""
        plan, aside = self._plan, self.aside
        if plan.kind is not ReaderKind.MEASURE:
            return
        clear = not plan.unit or bare_is_clear(aside.bare, aside.known, self._zeros, plan.unit, plan.name)
        codes = self._leading and len(self._lengths) == 1 and len(self._some) == _SEVERAL
        if codes or not clear or not few_strays(aside, whole=codes_by_length(self._lengths)):
            raise Misfit


def _are_whole(numbers: pa.Array) -> bool:
    """Tell whether all numbers are whole, as which they may be read although some are written with a point."""
    if pa.types.is_integer(numbers.type):
        return True
    known = numbers.drop_null().to_numpy(zero_copy_only=False)
    return bool(np.all((known == np.floor(known)) & (np.abs(known) < _MOST_EXACT)))
