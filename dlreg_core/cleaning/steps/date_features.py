"""Dates as numbers: the parts of them that vary."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from dlreg_core.cleaning.steps.step_helpers import marked_name
from dlreg_core.specs import Spec

_DAY = 86_400e9


class ExpandDates(Spec):
    """Replace each date by the parts of it that vary: days since the first one, year, month, day, weekday, hour.

    Of times without a day, the hour is all there is.
    """

    kind: Literal["expand_dates"] = "expand_dates"
    origins: dict[str, str]
    parts: dict[str, tuple[str, ...]]

    @classmethod
    def fit(cls, frame: pd.DataFrame, columns: list[str]) -> ExpandDates:
        """Choose the origin and the parts that vary from training rows."""
        origins = {c: frame[c].min().isoformat() for c in columns}
        parts = {}
        for c in columns:
            varying = tuple(n for n, v in _date_parts(frame[c], origins[c]).items() if v.nunique() > 1)
            only_times = bool(frame[c].dt.normalize().dropna().eq(pd.Timestamp(0)).all())
            parts[c] = tuple(n for n in varying if n == "hour") if only_times else varying
        return cls(origins=origins, parts=parts)

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `frame` with the parts in place of the dates."""
        added: dict[str, pd.Series] = {}
        for column, origin in self.origins.items():
            values = _date_parts(frame[column], origin)
            added |= {marked_name(f"{column}: {part}", frame): values[part] for part in self.parts[column]}
        return frame.drop(columns=list(self.origins)).join(pd.DataFrame(added, index=frame.index))


def _date_parts(values: pd.Series, origin: str) -> dict[str, pd.Series]:
    """Split dates into numbers; missing dates give missing parts."""
    moments, first = values.to_numpy().astype("datetime64[ns]").astype("int64"), pd.Timestamp(origin).value
    # Dates can lie further apart than nanoseconds can be counted.
    since = (moments // 1000 - first // 1000).astype("float64") * 1000 + (moments % 1000 - first % 1000)
    days = pd.Series(since / _DAY, index=values.index).where(values.notna(), np.nan)
    parts = {"days": days}
    for name, part in (
        ("year", values.dt.year),
        ("month", values.dt.month),
        ("day", values.dt.day),
        ("weekday", values.dt.dayofweek),
        ("hour", values.dt.hour + values.dt.minute / 60 + values.dt.second / 3600),
    ):
        parts[name] = part.astype("float64")
    return parts
