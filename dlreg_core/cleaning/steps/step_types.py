"""The cleaning steps: each is fitted on training rows, transforms any rows, and is kept as plain JSON."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dlreg_core.cleaning.steps.date_features import ExpandDates
from dlreg_core.cleaning.steps.imputation import FillByNeighbours, FillByRegression, FillLevels, FillNumbers
from dlreg_core.cleaning.steps.interactions import CombineColumns
from dlreg_core.cleaning.steps.ordinal_encoding import RankLevels
from dlreg_core.cleaning.steps.outlier_clipping import ClipOutliers
from dlreg_core.cleaning.steps.scaling import ScaleNumbers
from dlreg_core.cleaning.steps.text_features import ExpandTexts

Step = Annotated[
    ExpandDates
    | RankLevels
    | ExpandTexts
    | ClipOutliers
    | CombineColumns
    | FillByNeighbours
    | FillByRegression
    | FillNumbers
    | FillLevels
    | ScaleNumbers,
    Field(discriminator="kind"),
]
