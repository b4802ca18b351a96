"""Batches of dates, times of day and durations, and what is noticed of them on the way."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from dlreg_core.arrow import compute as pc
from dlreg_core.ingest.batches.column_plan import MOST_EVIDENCE, ColumnPlan, Misfit, ReaderKind
from dlreg_core.ingest.inference.numbers.text_numbers import Coded
from dlreg_core.ingest.inference.times.date_cells import in_order, read_moments
from dlreg_core.ingest.inference.times.date_formats import NAMES, split_dates
from dlreg_core.ingest.inference.times.date_notes import (
    CellDates,
    DateForms,
    DateNote,
    dates_note,
    durations_note,
    order_words,
    times_note,
)
from dlreg_core.ingest.inference.times.date_order import DateEvidence, Dates, parse_dates
from dlreg_core.ingest.inference.times.durations import may_be_durations, parse_durations, read_durations, telling_times
from dlreg_core.ingest.inference.times.native_timestamps import usable_moments

_USUAL = pa.array(["2000-01-01"])
"""A date that says nothing of the order of others."""
_YEAR_FIRST = NAMES.index("year first")


class MomentReader:
    """Reads the batches of one column of dates, times of day or durations.

    What a column is may depend on all of its values, such as the order of day and month: so a few of them are kept that
    say together what all of them say, and `check` asks them at the end.
    """

    def __init__(self, plan: ColumnPlan) -> None:
        self._plan = plan
        self._ways = DateForms()
        self._cells = CellDates()
        self._evidence = DateEvidence()
        self._times: dict[str, None] = {}
        self._first = ""
        self._ambiguous = False

    def typed(self, column: pa.Array) -> pa.Array:
        """Return moments that a file holds as such."""
        found = usable_moments(pa.chunked_array([column]))
        self._ways.add_far(found.example, found.far)
        return found.values

    def quick(self, column: pa.Array) -> pa.Array | None:
        """Return moments in ISO 8601; None where some are written in another way, or out of range."""
        if self._plan.time_of_day or self._plan.cells:
            return None
        try:
            values = column.cast(pa.timestamp("ns"))
        except pa.ArrowInvalid:
            return None
        if usable_moments(pa.chunked_array([values])).far:
            return None
        if values.null_count < len(values):
            example = pc.utf8_trim_whitespace(column.drop_null()[:1])[0].as_py()
            self._ways.add_form(NAMES[_YEAR_FIRST], example, len(values) - values.null_count)
        return values

    def dates(self, coded: Coded) -> pa.TimestampArray:
        """Return the moments of distinct texts; `Misfit` where some are none in the way that was planned."""
        levels, plan = coded.levels, self._plan
        if plan.time_of_day:
            times = read_moments(levels, None, time_of_day=True)
            if not times.read.all():
                raise Misfit(levels[:MOST_EVIDENCE])
            self._keep_times(levels)
            return times.values
        apart = split_dates(levels, digits=plan.digits)
        found = in_order(apart, plan.order or "dmy")
        if not found.read.all() or (plan.order is None and apart.of_kind("short", "last").any()):
            raise Misfit(levels[:MOST_EVIDENCE])
        self._evidence.add(levels, apart)
        self._ways.add(levels, apart.form, found.far, coded.tally.counts)
        if plan.cells:
            self._cells.add(levels, coded.tally.counts, found.values)
        return found.values

    def durations(self, coded: Coded) -> pa.Array:
        """Return the seconds of distinct texts; `Misfit` where some are no durations as planned."""
        levels = coded.levels
        seconds = read_durations(levels)
        numbers = seconds.to_numpy(zero_copy_only=False)
        if seconds.null_count or (self._plan.whole and np.any(numbers != np.floor(numbers))):
            raise Misfit(levels[:MOST_EVIDENCE])
        self._keep_times(levels)
        return seconds.cast(self._plan.arrow_type)

    def check(self) -> None:
        """Ask what was kept, after the last batch, if the plan was right; `Misfit` if it wasn't."""
        plan = self._plan
        times = pa.array(list(self._times), pa.string())
        if len(times) and not self._are_as_planned(times):
            raise Misfit(times)
        levels = self._evidence.levels
        if plan.kind is not ReaderKind.DATE or not len(levels):
            return
        found = self._parsed(levels)
        if found is None or (found.day_first, found.year_first) != (plan.day_first, plan.year_first):
            raise Misfit(levels)
        self._ambiguous = found.ambiguous

    def _are_as_planned(self, times: pa.StringArray) -> bool:
        """Tell whether times of day are no durations, or durations some; what is known to be dates isn't asked."""
        lasting = parse_durations(times, named=self._plan.lasting) is not None
        return lasting if self._plan.kind is ReaderKind.DURATION else self._plan.dated or not lasting

    def _parsed(self, levels: pa.StringArray) -> Dates | None:
        """Return what the texts say that were kept; where all are out of range, beside a date that isn't."""
        for some in (levels, pa.concat_arrays([levels, _USUAL])):
            found = parse_dates(some, self._plan.said, digits=self._plan.digits, named=self._plan.dated)
            if found is not None:
                return found
        return None

    def note(self) -> DateNote:
        """Say what is odd about the column."""
        plan, times = self._plan, pa.array(list(self._times), pa.string())
        if plan.kind is ReaderKind.DURATION:
            two = parse_durations(times, named=plan.lasting) if len(times) else None
            return durations_note(self._first, minutes=two is not None and two.minutes)
        if plan.time_of_day:
            return times_note(self._first) if len(times) and may_be_durations(times) else DateNote("", "")
        order = order_words(plan.day_first) if self._ambiguous else ""
        return self._cells.note() or dates_note(self._ways, order)

    def _keep_times(self, levels: pa.StringArray) -> None:
        self._first = self._first or levels[0].as_py()
        self._times |= dict.fromkeys(telling_times(levels))
        if len(self._times) > MOST_EVIDENCE:
            self._times = dict.fromkeys(telling_times(pa.array(list(self._times), pa.string())))
