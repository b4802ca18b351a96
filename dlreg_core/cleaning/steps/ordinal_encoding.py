"""Levels with an order become numbers: the place of each, counted from the lowest."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from dlreg_core.specs import Spec


class RankLevels(Spec):
    """Replace levels that have an order by their places, from 1; what is not in the order is missing."""

    kind: Literal["rank_levels"] = "rank_levels"
    orders: dict[str, tuple[str, ...]]

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `frame` with numbers in place of these levels."""
        return frame.assign(**{column: ranked(frame[column], order) for column, order in self.orders.items()})


def ranked(values: pd.Series, order: tuple[str, ...]) -> pd.Series:
    """Return the place of each level in the order, from 1; NaN for what is missing or not in it."""
    places = {level: float(place) for place, level in enumerate(order, start=1)}
    return values.map(places).astype("float64")
