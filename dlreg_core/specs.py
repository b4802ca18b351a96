"""The frozen objects that the stages hand to each other, and that are kept on disk.

Every class is immutable, validated when it is built and carries a ``schema_version`` where it is written as a file of
its own. Nothing here knows how the work is done.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

SCHEMA_VERSION = 1


def now() -> datetime:
    """Return the present time in UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Spec(BaseModel):
    """Base of all specs: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# --- Tables ----------------------------------------------------------------------------------------------------------


class ColumnType(StrEnum):
    """What a column holds, as far as modelling is concerned."""

    NUMBER = "number"
    CATEGORY = "category"
    DATETIME = "datetime"
    TEXT = "text"
    BOOLEAN = "boolean"
    IDENTIFIER = "identifier"
    CONSTANT = "constant"


class Histogram(Spec):
    """Counts of a numeric column in equal bins; ``len(edges) == len(counts) + 1``."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


class Level(Spec):
    """A value of a category column and how often it occurs."""

    value: str
    count: int


class Column(Spec):
    """Profile of one column.

    ``minimum`` and ``maximum`` are numbers for number columns and ISO 8601 text for dates; ``median`` and ``mean``
    exist for number columns only. ``levels`` holds the most frequent values (20 at most), most frequent first.
    """

    name: str
    type: ColumnType
    missing: int = Field(ge=0)
    distinct: int = Field(ge=0)
    integer: bool = False
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    median: float | None = None
    histogram: Histogram | None = None
    levels: tuple[Level, ...] = ()
    note: str = ""
    """Why the column got its type, or what is odd about it, in one sentence; empty when there is nothing to say."""
    day_first: bool | None = None
    """Whether dates such as 03/04/2024 were read as day/month (True) or month/day (False); None for all others."""


class Dialect(Spec):
    """How a text file was read."""

    delimiter: str
    encoding: str
    decimal: str = "."
    header_row: int | None = 0


class Dataset(Spec):
    """An uploaded table: stored once under its content hash, with its profile, and read-only from then on."""

    schema_version: int = SCHEMA_VERSION
    id: str
    name: str
    file_bytes: int
    rows: int
    columns: tuple[Column, ...]
    duplicate_rows: int = 0
    dialect: Dialect | None = None
    created: datetime = Field(default_factory=now)

    def column(self, name: str) -> Column:
        """Return the profile of the column called `name`; ``KeyError`` if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in the order of the file."""
        return tuple(column.name for column in self.columns)


# --- What to do ------------------------------------------------------------------------------------------------------


class Split(Spec):
    """How the rows are divided into training, validation and test rows.

    With ``kind="own"`` the rows of `test_dataset` are the test rows, and the table's own rows are divided between
    training and validation in the proportion of `train` to `validation`.
    """

    kind: Literal["random", "time", "group", "own"] = "random"
    column: str | None = None
    train: float = Field(default=0.70, gt=0, lt=1)
    validation: float = Field(default=0.15, gt=0, lt=1)
    test: float = Field(default=0.15, gt=0, lt=1)
    seed: int = 0
    test_dataset: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if abs(self.train + self.validation + self.test - 1) > 1e-6:
            raise ValueError("the shares of training, validation and test rows must add up to 100 %")
        if self.kind in ("time", "group") and not self.column:
            raise ValueError(f"a split by {self.kind} needs a column")
        if self.kind == "own" and not self.test_dataset:
            raise ValueError("a split with an own test file needs that file")
        return self


class Cleaning(Spec):
    """Which repairs are made. Rows without a target are always dropped, since nothing can be learned from them."""

    drop_duplicates: bool = True
    drop_constant: bool = True
    drop_identifiers: bool = True
    impute_numbers: Literal["median", "mean", "zero", "keep"] = "median"
    impute_categories: Literal["most_frequent", "level", "keep"] = "level"
    missing_flags: bool = True


class Recipe(Spec):
    """From a table to training, validation and test rows: target, columns, repairs and split."""

    target: str
    features: tuple[str, ...] = Field(min_length=1)
    unit: str = ""
    types: dict[str, ColumnType] = Field(default_factory=dict)
    """Types that a person set, by column; the profile's types hold for the others."""
    cleaning: Cleaning = Cleaning()
    split: Split = Split()

    @model_validator(mode="after")
    def _target_is_no_feature(self) -> Self:
        if self.target in self.features:
            raise ValueError("the target can't be one of the columns that predict it")
        return self


Preset = Literal["fast", "balanced", "best"]


class TrainPlan(Spec):
    """Which networks are trained, for how long, and on what."""

    models: tuple[str, ...] = Field(default=("NN_TORCH", "FASTAI", "TABM", "REALMLP"), min_length=1)
    preset: Preset = "balanced"
    time_limit: float = Field(default=120.0, gt=0)
    """Seconds for the whole run: preparing, fitting, evaluating and explaining."""
    device: Literal["auto", "cpu", "gpu"] = "auto"
    seed: int = 0


class PlannedFit(Spec):
    """One model as it was really trained: enough to train it again without looking at the clock."""

    model: str
    family: str
    settings: dict[str, Any] = Field(default_factory=dict)
    epochs: int
    """Epochs that the learning-rate schedule spans."""
    stop_after: int | None = None
    """Epoch after which the clock cut the training; None where it ended by itself."""
    seed: int
    threads: int
    device: Literal["cpu", "gpu"]


class ResolvedPlan(Spec):
    """The plan of a run as the measured speeds resolved it: the models in the order of training.

    ``explain_rows`` and its companions are the sizes of the first explanation.
    """

    fits: tuple[PlannedFit, ...] = ()
    ensemble: bool = True
    explained_model: str = ""
    explain_rows: int = 0
    explain_background: int = 0
    explain_permutations: int = 0


class Experiment(Spec):
    """Data set + recipe + plan: everything needed to repeat a run."""

    schema_version: int = SCHEMA_VERSION
    name: str
    dataset_id: str
    dataset_name: str
    recipe: Recipe
    plan: TrainPlan = TrainPlan()
    replay_of: str | None = None
    replay: ResolvedPlan | None = None
    created: datetime = Field(default_factory=now)


# --- Work ------------------------------------------------------------------------------------------------------------


class RunState(StrEnum):
    """State of a run or of one of its tasks."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def is_final(self) -> bool:
        """True when nothing will change this state by itself any more."""
        return self not in (RunState.QUEUED, RunState.RUNNING)


class TaskKind(StrEnum):
    """What a worker can be asked to do."""

    TRAIN = "train"
    EXPLAIN = "explain"


class ExplainRequest(Spec):
    """Explain one model of a run on a number of test rows."""

    model: str
    rows: int = Field(ge=1)
    time_limit: float = Field(default=60.0, gt=0)


class Task(Spec):
    """One piece of work for one worker process."""

    schema_version: int = SCHEMA_VERSION
    run_id: str
    number: int = Field(ge=1)
    kind: TaskKind
    explain: ExplainRequest | None = None
    created: datetime = Field(default_factory=now)

    @model_validator(mode="after")
    def _has_its_request(self) -> Self:
        if (self.kind is TaskKind.EXPLAIN) != (self.explain is not None):
            raise ValueError("an explain task, and only that, carries what to explain")
        return self


class Done(Spec):
    """How a task ended: the content of its ``DONE`` file."""

    state: RunState
    reason: str = ""
    hint: str = ""
    ended: datetime = Field(default_factory=now)


class Event(Spec):
    """One line of a task's event log. ``kind`` names what happened, ``data`` carries its figures.

    Kinds: ``stage`` (name), ``plan`` (models), ``model_started`` (model, family, epochs, expected),
    ``epoch`` (model, epoch, epochs, validation), ``model_finished`` (model, validation, seconds, epochs_trained),
    ``model_skipped`` and ``model_failed`` (model, reason), ``progress`` (share), ``log`` (text).
    """

    time: datetime
    kind: str
    data: dict[str, Any] = Field(default_factory=dict)


# --- Results ---------------------------------------------------------------------------------------------------------

Role = Literal["network", "ensemble", "baseline"]


class Interval(Spec):
    """An interval with its level, such as 0.95."""

    low: float
    high: float
    level: float = 0.95


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
    fit_seconds: float | None = None
    predict_rows_per_second: float | None = None
    size_mb: float | None = None
    note: str = ""
    rmse_interval: Interval | None = None
    half_width_90: float | None = None
    """Half the width of the 90 % prediction interval, from validation residuals (split conformal)."""
    coverage_90: float | None = None
    """Share of the test rows that lie inside their 90 % prediction interval."""

    @property
    def trained(self) -> bool:
        """True when the model exists and was judged."""
        return self.rmse is not None


class Comparison(Spec):
    """The best model against a baseline on the same test rows.

    ``improvement`` is 1 - MAE(best) / MAE(baseline); ``interval`` is its paired bootstrap interval.
    """

    baseline: str
    improvement: float
    interval: Interval


class RowCounts(Spec):
    """How many rows went where."""

    train: int
    validation: int
    test: int
    dropped_missing_target: int = 0
    dropped_duplicates: int = 0


class TrainResult(Spec):
    """What a train task found: the content of its ``result.json``."""

    schema_version: int = SCHEMA_VERSION
    leaderboard: tuple[LeaderboardRow, ...]
    best_model: str
    comparison: Comparison | None
    rows: RowCounts
    plan: ResolvedPlan
    ensemble_weights: dict[str, float] = Field(default_factory=dict)
    seconds: float
    stopped_early: bool = False
    device: str = "cpu"
    device_note: str = ""
    target_mean: float = 0.0
    target_std: float = 0.0
    versions: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def row(self, model: str) -> LeaderboardRow:
        """Return the leaderboard row of `model`; ``KeyError`` if there is none."""
        for row in self.leaderboard:
            if row.model == model:
                return row
        raise KeyError(model)


class ExplainResult(Spec):
    """What an explanation cost and how exact it is: the content of ``explanation.json``."""

    schema_version: int = SCHEMA_VERSION
    model: str
    rows: int
    background: int
    permutations: int
    """Antithetic pairs of permutations a row; 0 means that every coalition was enumerated (exact)."""
    evaluations: int
    base_value: float
    seconds: float
    relative_error: float | None
    """Typical standard error of the strongest feature's values relative to their mean size; 0 where it is exact, None
    where a single pair of permutations can't tell."""


class Exported(Spec):
    """A model file that was written, and how well it reproduced its reference rows when it was read again."""

    path: str
    model: str
    size_mb: float
    sha256: str
    members: tuple[str, ...]
    reference_rows: int
    max_relative_difference: float


class Report(Spec):
    """A run as a person sees it: what its tasks add up to."""

    run_id: str
    run_dir: str
    state: RunState
    reason: str = ""
    hint: str = ""
    experiment: Experiment
    started: datetime | None = None
    ended: datetime | None = None
    result: TrainResult | None = None
