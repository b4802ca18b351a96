"""Columns made of strictly earlier moments of a series, and of the target only what was known so many steps before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.array_types import Floats
from dlreg_core.cleaning.lags.time_steps import SLACK, Clock
from dlreg_core.specs import PastColumn

Places = NDArray[np.int64]
Moments = pd.DataFrame
"""A line for each moment of each group: ``group``, ``moment``, and the mean of each column there."""


class NewRows(NamedTuple):
    """Rows that columns are made for: their group and moment, and their own values of the columns.

    ``least`` is how many steps before a row at least the target's last known value shall lie.
    """

    groups: NDArray[np.object_]
    moments: Floats
    own: Mapping[str, Floats]
    least: Places


def moments_by_group(groups: Iterable[str], moments: Floats, values: Mapping[str, Floats]) -> Moments:
    """Return the moments of rows, by group and moment; of several rows of one moment, the mean of what they have."""
    rows = pd.DataFrame({"group": list(groups), "moment": moments, **values}).dropna(subset=["moment"])
    return rows.groupby(["group", "moment"], sort=True, as_index=False).mean()


def joined_moments(first: Moments, then: Moments) -> Moments:
    """Return the moments of both; where both have a value, that of the second."""
    if not len(first) or not len(then):
        return first if len(first) else then
    keys = ["group", "moment"]
    return then.set_index(keys).combine_first(first.set_index(keys)).sort_index().reset_index()[list(then.columns)]


class EarlierRows:
    """The moments of a table, to look up what was before.

    Parameters
    ----------
    moments : DataFrame
        See `Moments`; sorted by group and moment.
    clock : Clock or None
        How steps are counted; None counts moments of the group.
    target, horizon : str or None, int
        The column of which a row knows only what is `NewRows.least` steps before; and how many steps those are at most.
    """

    def __init__(self, moments: Moments, clock: Clock | None, target: str | None, horizon: int) -> None:
        self._moments, self._clock, self._target, self._horizon = moments, clock, target, horizon
        self._codes, self._names = pd.factorize(moments["group"], sort=True)

    def made(self, asked: NewRows, wanted: Iterable[PastColumn]) -> tuple[dict[str, Floats], Floats]:
        """Return the columns that are wanted, and how many steps before each row the target was last known.

        Rows without a moment have no past, nor have those of a group that isn't there.
        """
        found: dict[str, Floats] = {}
        look = _Look(self._codes, self._names, self._moments["moment"].to_numpy(), asked)
        ahead = np.full(len(asked.moments), np.nan)
        known = None
        if self._target is not None:
            known = self._known(asked, look)
            ahead = known.ahead
        for made in wanted:
            if made.column == self._target and known is not None:
                found[made.name] = known.column(made, self._horizon)
            else:
                values = self._moments[made.column].to_numpy(dtype=np.float64)
                found[made.name] = _column(made, values, self._codes, look, asked.own[made.column])
        return found, ahead

    def _known(self, asked: NewRows, look: _Look) -> _Known:
        values = self._moments[self._target].to_numpy(dtype=np.float64)
        there = np.flatnonzero(~np.isnan(values))
        moments = self._moments["moment"].to_numpy()[there]
        latest = asked.moments
        own = self._clock.read(asked.moments) if self._clock is not None else None
        further = asked.least > 1
        if own is not None and further.any():
            # The first of all moments that is too late to be known, so that the clock is read once for each.
            ordered = np.unique(moments)
            cut = np.searchsorted(self._read(ordered), own - (asked.least - 1 + SLACK), side="left")
            too_late = np.append(ordered, np.inf)[cut]
            latest = np.where(further, np.minimum(too_late, asked.moments), asked.moments)
        at = _Look(self._codes[there], self._names, moments, asked._replace(moments=latest))
        # A row without a moment has no past, whatever the comparison with it says.
        origin = np.where((at.end > at.first) & np.isfinite(asked.moments), at.end - 1, -1)
        ahead = np.full(len(origin), np.nan)
        has = origin >= 0
        if own is not None:
            ahead[has] = own[has] - self._read(moments)[origin[has]]
        else:
            # The next moment of the group is one step ahead.
            ahead[has] = look.end[has] - there[origin[has]]
        return _Known(values[there], self._codes[there], origin, at.first, ahead)

    def _read(self, moments: Floats) -> Floats:
        return self._clock.read(moments) if self._clock is not None else moments


class _Look:
    """Where rows stand among sorted moments: those from `first` up to, without it, `end` are strictly earlier."""

    def __init__(self, codes: Places, names: pd.Index, moments: Floats, asked: NewRows) -> None:
        every = np.unique(np.concatenate([moments, asked.moments[np.isfinite(asked.moments)]]))
        width = len(every) + 1
        keys = codes.astype(np.int64) * width + np.searchsorted(every, moments)
        group = names.get_indexer(pd.Index(asked.groups, dtype=object)).astype(np.int64)
        place = np.searchsorted(every, np.where(np.isnan(asked.moments), -np.inf, asked.moments))
        self.first = np.searchsorted(keys, group * width, side="left")
        self.end = np.searchsorted(keys, group * width + place, side="left")
        self.end = np.where(np.isnan(asked.moments) | (group < 0), self.first, self.end)
        self.there = ~np.isnan(asked.moments)


class _Known(NamedTuple):
    """The values of the target that are known, and the last one that each row may know."""

    values: Floats
    codes: Places
    origin: Places
    first: Places
    ahead: Floats

    def column(self, made: PastColumn, horizon: int) -> Floats:
        """Return a lag, or a mean of the values before."""
        if made.kind == "mean":
            means = _rolling(self.values, self.codes, made.rows)["mean"]
            return _taken(means, self.origin, self.first)
        # The last value that is known and as many rows back as the lag, or twice as many, and so on: a lag of a week
        # stays on the same day of the week.
        steps = steps_ahead(self.ahead, horizon)
        back = np.ceil(steps / made.rows) * made.rows - steps
        return _taken(self.values, self.origin - back.astype(np.int64), self.first)


def steps_ahead(ahead: Floats, horizon: int) -> Floats:
    """Return how many whole steps ahead rows are, from 1 to the horizon; the horizon where that isn't known."""
    return np.clip(np.ceil(np.nan_to_num(ahead, nan=float(horizon)) - SLACK), 1, horizon)


def _column(made: PastColumn, values: Floats, codes: Places, look: _Look, own: Floats) -> Floats:
    """Return a column that is made of one whose values are known in every row."""
    last = look.end - 1
    if made.kind == "lag":
        return _taken(values, look.end - made.rows, look.first)
    if made.kind == "mean":
        return _taken(_rolling(values, codes, made.rows)["mean"], last, look.first)
    if made.kind == "smooth":
        kept, before = 1.0, _rolling(values, codes, made.rows - 1)
    else:
        kept, before = 1 - 2 / (made.rows + 1), _weighed(values, codes, made.rows)
    known = (~np.isnan(own)).astype(np.float64)
    total = np.nan_to_num(own) + kept * np.nan_to_num(_taken(before["sum"], last, look.first))
    weight = known + kept * np.nan_to_num(_taken(before["count"], last, look.first))
    there = look.there & (weight > 0)
    return np.where(there, total / np.where(there, weight, 1.0), np.nan)


def _rolling(values: Floats, codes: Places, rows: int) -> dict[str, Floats]:
    """Return sum, count and mean of the last so many moments of a group, this one among them; NaN where none is."""
    rolled = pd.Series(values).groupby(codes, sort=False).rolling(rows, min_periods=1)
    found = {"sum": rolled.sum(), "count": rolled.count(), "mean": rolled.mean()}
    return {name: np.asarray(column.droplevel(0).sort_index(), dtype=np.float64) for name, column in found.items()}


def _weighed(values: Floats, codes: Places, span: int) -> dict[str, Floats]:
    """Return the sums of values and of their number, each weighed exponentially by its age in moments."""
    there = ~np.isnan(values)
    frame = pd.DataFrame({"sum": np.where(there, values, 0.0), "count": there.astype(np.float64)})
    sums = frame.groupby(codes, sort=False).ewm(span=span).sum().droplevel(0).sort_index()
    return {name: sums[name].to_numpy(dtype=np.float64) for name in ("sum", "count")}


def _taken(values: Floats, places: Places, first: Places) -> Floats:
    """Return values at places; NaN where those are before the first of the group."""
    there = (places >= first) & (places >= 0) & (places < len(values))
    found = np.full(len(places), np.nan)
    found[there] = values[places[there]]
    return found
