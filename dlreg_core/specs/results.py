"""Results: what a run found, and what a person sees of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from dlreg_core.specs.base import Spec, VersionedSpec
from dlreg_core.specs.plans import Experiment, ResolvedPlan, TransformName
from dlreg_core.specs.tasks import RunState

ENOUGH_EXPLAINED, ENOUGH_BACKGROUND = 60, 50
"""From fewer rows, or with fewer background rows, the order in which an explanation puts the columns is uncertain."""

Role = Literal["network", "ensemble", "baseline"]


class Interval(Spec):
    """An interval with its level, such as 0.95."""

    low: float
    high: float
    level: float = 0.95


CONSTANTS = ("MEAN", "MEDIAN")
"""Families that predict the same of every row, and learn the target as it is."""

FULL_TREES = 1000
"""How many boosted trees are a reference at full strength: CatBoost's default."""


class BaselineStrength(Spec):
    """What a reference was fitted with, of all that its full strength takes."""

    trees: int
    rows: int
    of_rows: int
    of_trees: int = FULL_TREES

    @property
    def full(self) -> bool:
        """True where nothing was left out for lack of time."""
        return self.trees >= self.of_trees and self.rows >= self.of_rows


class LeaderboardRow(Spec):
    """One model judged on the test rows; figures are None where it failed or was skipped, and ``note`` says why."""

    model: str
    family: str
    role: Role
    rmse: float | None = None
    mae: float | None = None
    mse: float | None = None
    r2: float | None = None
    median_ae: float | None = None
    rmse_validation: float | None = None
    rows_validation: int | None = None
    """Rows that it and the prediction interval rest on: fewer than there are where boosted trees had no time for all
    folds; None in results of earlier versions."""
    fit_seconds: float | None = None
    predict_rows_per_second: float | None = None
    size_mb: float | None = None
    note: str = ""
    rmse_interval: Interval | None = None
    half_width_90: float | None = None
    """Half the width of the 90 % prediction interval, from validation residuals (split conformal); where the width
    depends on the prediction, the median of the test rows."""
    half_widths_90: Interval | None = None
    """Where it does, between which half widths nine of ten test rows lie."""
    coverage_90: float | None = None
    """Share of the test rows that lie inside their 90 % prediction interval."""
    strength: BaselineStrength | None = None
    """Of boosted trees; None in results of earlier versions."""

    @property
    def trained(self) -> bool:
        """True when the model exists and was judged."""
        return self.rmse is not None


class Comparison(Spec):
    """The best model against a baseline on the same test rows.

    ``improvement`` is 1 - MAE(best) / MAE(baseline); ``interval`` is its paired bootstrap interval. The same of the
    RMSE is None in results of earlier versions. Of the median, the MAE is compared, and the RMSE with the mean: each is
    what the constant that makes it least has.
    """

    baseline: str
    improvement: float
    interval: Interval
    rmse_improvement: float | None = None
    rmse_interval: Interval | None = None


class PartSpan(Spec):
    """What the rows of one part are of, where a split goes by a column.

    By time the first and the last moment, as ISO 8601 text for dates; by group the number of groups.
    """

    part: Literal["train", "validation", "test"]
    first: float | str | None = None
    last: float | str | None = None
    groups: int = 0


class RowCounts(Spec):
    """How many rows went where.

    With ``folds`` there are no validation rows: each training row is in one of so many folds, and chooses between
    models by predictions of networks that have not learned from it.
    """

    train: int
    validation: int
    test: int
    folds: int = 0
    dropped_missing_target: int = 0
    dropped_duplicates: int = 0
    dropped_gap: int = 0
    """Rows between the parts of a split by time."""
    dropped_unplaced: int = 0
    """Rows without a value in the column that a split goes by."""
    spans: tuple[PartSpan, ...] = ()
    """Of a split by time or by group, what its parts are of."""
    outlying: int = 0
    """Training rows that teach nothing, since they hold outliers; they are among ``train``, and choose with folds."""
    drawn: int = 0
    """Rows that were drawn at random from a larger table, before anything else was done; 0 where all were used."""
    drawn_from: int = 0
    """Rows of that larger table."""


class StepFigures(Spec):
    """What one model gets on the test rows when each is predicted from so many steps before it."""

    step: int
    rows: int
    mae: float
    rmse: float
    half_width_90: float
    """Half the width of the 90 % prediction interval, from validation rows seen from as far; the median of the rows."""
    coverage_90: float


class HorizonCoverage(Spec):
    """How far ahead rows are predicted where earlier values of the target are used.

    A step is `size` times `unit`, such as one "day"; the test rows were judged from 1 to `horizon` steps before them.
    """

    horizon: int
    size: float
    unit: str
    steps: dict[str, tuple[StepFigures, ...]] = Field(default_factory=dict)
    """By model, the figures of each step that was judged alone; empty with a single one, which the leaderboard has."""


class Period(Spec):
    """One of the periods that the test rows are cut into; moments are ISO 8601 text for dates.

    ``bias`` is the mean of actual - predicted: above 0 predictions are too low. ``bias_reach`` is half of its interval,
    as wide as all periods together need.
    """

    first: float | str
    last: float | str
    rows: int
    mae: float
    bias: float
    bias_reach: float
    coverage_90: float | None = None


class ErrorsOverTime(Spec):
    """The errors of one model on test rows in the order of a column."""

    column: str
    model: str
    periods: tuple[Period, ...]


class UnseenValues(Spec):
    """What only test rows have: ``levels`` of a column, or values from ``low`` to ``high`` beyond those of training.

    ``mae`` is the chosen model's error on these rows, ``mae_others`` that on the other test rows.
    """

    column: str
    rows: int
    of_rows: int
    levels: tuple[str, ...] = ()
    more_levels: int = 0
    low: float | None = None
    high: float | None = None
    mae: float
    mae_others: float | None = None


class TrainResult(VersionedSpec):
    """What a train task found: the content of its ``result.json``."""

    leaderboard: tuple[LeaderboardRow, ...]
    best_model: str
    comparison: Comparison | None
    """With the baseline that validation prefers."""
    comparisons: tuple[Comparison, ...] = ()
    """With every baseline that learns, the one that validation prefers first; empty in results of earlier versions."""
    rows: RowCounts
    plan: ResolvedPlan
    ensemble_weights: dict[str, float] = Field(default_factory=dict)
    seconds: float
    """How long the run worked, all its tasks together."""
    stopped_early: bool = False
    """True when somebody said that it was enough before the budget was spent."""
    device: str = "cpu"
    device_note: str = ""
    """On what it was trained, and why not on the GPU: a sentence for people."""
    cores: int = 0
    """Processor cores that it could use; 0 in results of earlier versions."""
    gpu: str = ""
    """Name of the GPU that it could use; empty where there was none, and in results of earlier versions."""
    target_mean: float = 0.0
    target_std: float = 0.0
    target_transform: TransformName = "none"
    """On which scale the models have learned the target; all figures here are in its own unit."""
    target_rescaled: bool = False
    """True where it was learned in standard deviations from its mean, since its own size can't be computed with."""
    over_time: ErrorsOverTime | None = None
    """Of a split by time: the chosen model's errors by period."""
    unseen: tuple[UnseenValues, ...] = ()
    """What the test rows have and training rows don't, those with most rows first."""
    versions: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    ahead: HorizonCoverage | None = None
    """How far ahead the models predict; None where earlier values of the target aren't used."""

    def row(self, model: str) -> LeaderboardRow:
        """Return the leaderboard row of `model`; ``KeyError`` if there is none."""
        for row in self.leaderboard:
            if row.model == model:
                return row
        raise KeyError(model)


class ExplainResult(VersionedSpec):
    """What an explanation cost and how exact it is: the content of ``explanation.json``."""

    model: str
    rows: int
    background: int
    permutations: int
    """Antithetic pairs of permutations a row, each with background rows of its own; 0 means that every coalition was
    enumerated."""
    evaluations: int
    base_value: float
    seconds: float
    relative_error: float | None
    """Typical standard error of the strongest feature's values relative to their mean size, with the luck of the
    background rows and of the permutations; 0 where it is exact, None where a single observation can't tell."""


class RowsHeld(Spec):
    """Rows that a model file holds, of some columns."""

    rows: int
    columns: tuple[str, ...]


class ValuesFound(Spec):
    """How many values of a column were looked for in the files of a fitted model, and how many were found."""

    looked: int
    found: int


class DataHeld(Spec):
    """What a model file holds of the rows that were learned from, by columns.

    ``ranges``, ``typical`` and ``levels`` are in the description of the columns: smallest and largest values, typical
    values, and different values with how many there are; ``terms`` counts words of texts.
    """

    reference_rows: int
    """Test rows with their predictions."""
    blanked: tuple[str, ...] = ()
    """Identifiers and texts: in none of the reference rows, levels and typical values."""
    ranges: tuple[str, ...] = ()
    typical: tuple[str, ...] = ()
    levels: dict[str, int] = Field(default_factory=dict)
    terms: dict[str, int] = Field(default_factory=dict)
    similar: RowsHeld | None = None
    """Training rows to fill gaps by."""
    last: RowsHeld | None = None
    """The last rows of the table, as the past of new ones."""
    context: tuple[str, ...] = ()
    """Pre-trained networks, which hold the rows that they read with every prediction."""
    context_rows: int = 0
    """How many of them, at most."""
    found: dict[str, ValuesFound] = Field(default_factory=dict)
    """What was found of blanked columns in the fitted models."""


class Exported(Spec):
    """A model file that was written, and how well it reproduced its reference rows when it was read again."""

    path: str
    model: str
    size_mb: float
    sha256: str
    members: tuple[str, ...]
    reference_rows: int
    """Rows that were predicted again, whether the file holds them or not."""
    max_relative_difference: float
    held: DataHeld | None = None
    """None in notes of earlier versions, whose files were not looked into."""
    made_up: bool = False
    """Whether those rows were made up, since the data set is gone."""


class Report(Spec):
    """A run as a person sees it: what its tasks add up to."""

    run_id: str
    run_dir: str
    state: RunState
    reason: str = ""
    hint: str = ""
    experiment: Experiment
    time_limit: float
    """Seconds that the latest training task was given."""
    continues: bool = False
    """True when that task adds to the models of an earlier one."""
    launched: datetime | None = None
    """When a process was started for that task."""
    begun: datetime | None = None
    """When that process had loaded what it needs, which is when the time limit begins; None while it loads."""
    started: datetime | None = None
    """When the run's first process took it up."""
    ended: datetime | None = None
    used_seconds: float = 0.0
    """How much of its time limit a running task has used."""
    finishing: bool = False
    """True when it was told to finish and keep the best."""
    silent_seconds: float = 0.0
    """How long a running task has given no sign of life."""
    keepable: tuple[str, ...] = ()
    """Networks that were finished although there is no result with them: they can be kept."""
    result: TrainResult | None = None

    @property
    def can_go_on(self) -> bool:
        """Whether continuing the run isn't the same as training again."""
        return self.result is not None or bool(self.keepable) or self.state is RunState.INTERRUPTED
