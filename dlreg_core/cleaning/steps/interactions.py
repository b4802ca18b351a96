"""Columns made of two others: products, ratios and differences."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from dlreg_core.array_types import Floats
from dlreg_core.cleaning.steps.step_helpers import marked_name
from dlreg_core.specs import Combination, Spec


class CombineColumns(Spec):
    """Add columns that are made of two others; what can't be divided is missing, and filled like any other gap."""

    kind: Literal["combine_columns"] = "combine_columns"
    combinations: tuple[Combination, ...]

    @classmethod
    def fit(cls, frame: pd.DataFrame, wanted: tuple[Combination, ...]) -> CombineColumns:
        """Keep those that have a value in some training row."""
        found = cls(combinations=wanted).transform(frame).iloc[:, frame.shape[1] :]
        kept = [made for made, has in zip(wanted, found.notna().any(), strict=True) if has]
        return cls(combinations=tuple(kept))

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `frame` with the columns added."""
        added = {
            marked_name(made.name, frame): combined(
                frame[made.left].to_numpy(dtype=np.float64), frame[made.right].to_numpy(dtype=np.float64), made.kind
            )
            for made in self.combinations
        }
        return frame.join(pd.DataFrame(added, index=frame.index))


def combined(left: Floats, right: Floats, kind: Literal["product", "ratio", "difference"]) -> Floats:
    """Return the combination of two columns; NaN where it isn't a finite number, as of a division by 0."""
    operations = {"product": np.multiply, "ratio": np.divide, "difference": np.subtract}
    with np.errstate(all="ignore"):
        found = operations[kind](left, right)
    return np.where(np.isfinite(found), found, np.nan)
