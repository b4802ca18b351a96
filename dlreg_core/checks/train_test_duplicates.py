"""Rows that are all but equal, on both sides of a split: the test then asks for what was learned by heart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from dlreg_core.specs import ColumnType
from dlreg_core.splitting import NEAR, PreparedTable, placed

_WIDER = 10.0
_FEWEST_FINE, _FINE_SHARE = 2, 0.1
_NOTABLE, _FEWEST_TWINS = 0.05, 10
_ALIKE = 0.25
_MOST_TEST, _MOST_TRAIN, _MOST_CELLS = 2_000, 100_000, 10_000_000


@dataclass(frozen=True)
class TwinCheck:
    """How many test rows have a near twin among the rows that are trained on.

    Attributes
    ----------
    looked_at : int
        Test rows that were looked at.
    twins : int
        How many of them have a near twin.
    by_chance : float
        How many would, if rows lay as densely near each other as they do ten times further apart.
    alike : float
        The median difference of a test row's target to its twin's, as a part of that to any training row's.
    """

    looked_at: int
    twins: int
    by_chance: float
    alike: float

    @property
    def share(self) -> float:
        """The part of the test rows that have a near twin."""
        return self.twins / max(1, self.looked_at)

    @property
    def matters(self) -> bool:
        """True where twins are frequent, more so than chance makes them, and know each other's target."""
        frequent = self.twins >= _FEWEST_TWINS and self.share >= _NOTABLE
        return frequent and self.twins > 3 * self.by_chance and self.alike < _ALIKE


def twin_check(prepared: PreparedTable) -> TwinCheck | None:
    """Look for near twins of the test rows.

    Parameters
    ----------
    prepared : PreparedTable
        The rows of a recipe; of more than 2,000 test rows or 100,000 others (ten million cells), so many random ones
        are taken.

    Returns
    -------
    TwinCheck or None
        None where the table has fewer than two columns of mostly different numbers: rows are then equal by chance.

    Notes
    -----
    The nearest neighbour by the largest difference in any column, of numbers in standard deviations; other columns
    count as far apart unless they are equal. Where rows are spread smoothly, at least ten times as many have a
    neighbour within ten times the distance; near twins are there because somebody measured twice, or copied.
    """
    train = pd.concat([prepared.train, prepared.validation])
    y_train = np.concatenate([prepared.y_train, prepared.y_validation])
    rng = np.random.default_rng(0)
    most = min(_MOST_TRAIN, max(_MOST_TEST, _MOST_CELLS // max(1, len(prepared.types))))
    known = np.sort(rng.permutation(len(train))[:most])
    asked = np.sort(rng.permutation(len(prepared.test))[:_MOST_TEST])
    train, y_train = train.iloc[known], y_train[known]
    test, y_test = prepared.test.iloc[asked], prepared.y_test[asked]
    if not len(train) or not len(test) or not _fine_enough(train, prepared.types):
        return None
    points = placed(pd.concat([train, test]), prepared.types, prepared.day_first)
    tree, wanted = cKDTree(points[: len(train)]), points[len(train) :]
    found = tree.query(wanted, p=np.inf, distance_upper_bound=NEAR * _WIDER)
    distance, nearest = np.asarray(found[0]), np.asarray(found[1])
    twin = np.asarray(distance < NEAR)
    if not twin.any():
        return TwinCheck(len(test), 0, 0.0, 1.0)
    apart = float(np.median(np.abs(y_test[twin] - y_train[nearest[twin]])))
    usual = float(np.median(np.abs(y_test[:, None] - rng.choice(y_train, 200)[None, :])))
    by_chance = float(np.isfinite(distance).sum() - twin.sum()) / _WIDER
    return TwinCheck(len(test), int(twin.sum()), by_chance, apart / usual if usual > 0 else 1.0)


def _fine_enough(train: pd.DataFrame, types: Mapping[str, ColumnType]) -> bool:
    numbers = [name for name, kind in types.items() if kind is ColumnType.NUMBER]
    fine = [name for name in numbers if train[name].nunique() > _FINE_SHARE * len(train)]
    return len(fine) >= _FEWEST_FINE
