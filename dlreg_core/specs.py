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
    choose_by: Literal["auto", "holdout", "folds"] = "auto"
    """Whether models are chosen on validation rows of their own, or by folds of all rows that aren't for the test: then
    each row is predicted by networks that have not learned from it. The program takes folds for small tables.
    """
    folds: int = Field(default=0, ge=0, le=20)
    """How many folds; 0 leaves it to the program."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if abs(self.train + self.validation + self.test - 1) > 1e-6:
            raise ValueError("the shares of training, validation and test rows must add up to 100 %")
        if self.kind in ("time", "group") and not self.column:
            raise ValueError(f"a split by {self.kind} needs a column")
        if self.kind == "own" and not self.test_dataset:
            raise ValueError("a split with an own test file needs that file")
        if self.folds == 1 or (self.folds and self.choose_by == "holdout"):
            raise ValueError("there are two folds at least, or none with validation rows of their own")
        if self.choose_by == "folds" and self.kind == "time":
            raise ValueError("a split by time has validation rows of its own: folds would learn from later rows")
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


class NumberRange(Spec):
    """Numbers from ``low`` to ``high``, both included; ``log`` where they are compared by their ratio."""

    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    log: bool = False
    steps: int = Field(default=4, ge=2, le=100)
    """How many values a grid takes of it; other searches don't look at that."""

    @model_validator(mode="after")
    def _from_low_to_high(self) -> Self:
        if not self.low < self.high:
            raise ValueError("a range must go from a smaller to a larger number")
        if self.log and self.low <= 0:
            raise ValueError("numbers that are compared by their ratio must be above 0")
        return self


SearchMethod = Literal["random", "grid", "bayes"]
SearchRange = NumberRange | tuple[Any, ...]
"""Where a search looks for the value of a setting: between two numbers, or among some values."""


class Search(Spec):
    """A search for settings of one family: which of them are tried, within which ranges, how and how often."""

    method: SearchMethod = "bayes"
    family: str = Field(min_length=1)
    ranges: dict[str, SearchRange] = Field(min_length=1)
    """Ranges by the name of the setting, which the catalogue of networks knows."""
    trials: int = Field(default=20, ge=1, le=500)
    """How many networks are trained at most."""
    seed: int = 0

    @model_validator(mode="after")
    def _something_to_choose_from(self) -> Self:
        for name, range_ in self.ranges.items():
            if isinstance(range_, tuple) and len(range_) < 2:
                raise ValueError(f"a search needs at least two values of {name}")
        return self


class TrainPlan(Spec):
    """Which networks are trained, for how long, and on what."""

    models: tuple[str, ...] = Field(default=("FEEDFORWARD", "FASTAI", "NN_TORCH", "TABM", "REALMLP"), min_length=1)
    preset: Preset = "balanced"
    time_limit: float = Field(default=120.0, gt=0)
    """Seconds for the whole run: preparing, fitting, evaluating and explaining."""
    device: Literal["auto", "cpu", "gpu"] = "auto"
    seed: int = 0
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Values that a person chose, by family and name; the catalogue's defaults hold for the others."""
    search: Search | None = None
    """Settings of one family that are looked for, each try a network of the run; None where nothing is."""

    @model_validator(mode="after")
    def _search_fits_in(self) -> Self:
        if self.search is None:
            return self
        if self.search.family not in self.models:
            raise ValueError("the network whose settings are searched must be among those that are trained")
        both = self.search.ranges.keys() & self.settings.get(self.search.family, {}).keys()
        if both:
            raise ValueError(f"a setting is either chosen or searched: {', '.join(sorted(both))}")
        return self


class PlannedFit(Spec):
    """One model as it was really trained: enough to train it again without looking at the clock."""

    model: str
    family: str
    settings: dict[str, Any] = Field(default_factory=dict)
    epochs: int
    """Epochs that the learning-rate schedule spans."""
    stop_after: int | None = None
    """Epoch after which the clock cut the training; None where it ended by itself."""
    fold_stops: tuple[int | None, ...] = ()
    """The same for each fold, where there are several and one of them was cut."""
    seed: int
    threads: int
    device: Literal["cpu", "gpu"]
    chosen: dict[str, Any] = Field(default_factory=dict)
    """What a person or a search chose, by the catalogue's names; `settings` holds it under AutoGluon's."""
    trial: int | None = Field(default=None, ge=1)
    """Which try of a search this was, from 1; None where it was none."""


class ResolvedPlan(Spec):
    """The plan of a run as the measured speeds resolved it: the models in the order of training.

    ``explain_rows`` and its companions are the sizes of the first explanation.
    """

    fits: tuple[PlannedFit, ...] = ()
    ensemble: bool = True
    ensemble_from: tuple[str, ...] = ()
    """The networks that the ensemble was chosen from, where those are not all of them."""
    baseline_iterations: int = 0
    """How many boosted trees were grown; 0 where there are none."""
    explained_model: str = ""
    explain_rows: int = 0
    explain_background: int = 0
    explain_permutations: int = 0


class Experiment(Spec):
    """Data set + recipe + plan: everything needed to repeat a run."""

    schema_version: int = SCHEMA_VERSION
    name: str
    owner: str = "local"
    """Whom the run belongs to."""
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
    CONTINUE = "continue"
    EXPLAIN = "explain"

    @property
    def trains(self) -> bool:
        """True for work that makes models, and that needs a slot for it."""
        return self is not TaskKind.EXPLAIN


class ContinueRequest(Spec):
    """Add to the networks of an earlier task of the run, or only make a result of them."""

    source: int | None = Field(default=None, ge=1)
    """Number of the task whose networks are taken over; None where there were none yet."""
    time_limit: float = Field(ge=0)
    """Seconds for the whole task; with 0 nothing more is trained."""


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
    more: ContinueRequest | None = None
    created: datetime = Field(default_factory=now)

    @model_validator(mode="after")
    def _has_its_request(self) -> Self:
        if (self.kind is TaskKind.EXPLAIN) != (self.explain is not None):
            raise ValueError("an explain task, and only that, carries what to explain")
        if (self.kind is TaskKind.CONTINUE) != (self.more is not None):
            raise ValueError("a task that continues, and only that, carries what it continues")
        return self


class Launch(Spec):
    """A process is started for a task: the content of ``launched.json``.

    ``pid`` and ``created`` name the process once it is there; both together, since numbers are used again.
    """

    time: datetime = Field(default_factory=now)
    slot: str = ""
    cores: int | None = None
    pid: int | None = None
    created: float | None = None


class Start(Spec):
    """A process has taken a task: the content of ``started.json``."""

    time: datetime = Field(default_factory=now)
    pid: int
    created: float
    boot: str = ""
    """Which start of the machine this was."""
    oom_kills: int | None = None
    """How often the system had ended a process of this group for lack of memory, where it tells."""


class Pulse(Spec):
    """The last sign of life of a worker: the content of ``pulse.json``, written every few seconds.

    ``active`` is the last moment at which it had used the processor or reported progress, as ``time.time`` tells it.
    """

    active: float
    memory_mb: float
    gpu_memory_mb: float | None = None


class Done(Spec):
    """How a task ended: the content of its ``DONE`` file."""

    state: RunState
    reason: str = ""
    hint: str = ""
    ended: datetime = Field(default_factory=now)


class Event(Spec):
    """One line of a task's event log. ``kind`` names what happened, ``data`` carries its figures.

    Kinds: ``stage`` (name), ``plan`` (models), ``forecast`` (seconds until the end, as far as that can be told),
    ``model_started`` (model, family, epochs, expected, folds), ``model_taken`` (model, validation, seconds; it comes
    from an earlier task), ``epoch`` (model, epoch, epochs, validation, train_loss; ``earlier``: a list of epoch,
    validation and training loss for epochs that had no event of their own; and ``fold`` where there are several),
    ``model_finished`` (model, validation, seconds, epochs_trained), ``model_skipped`` and ``model_failed`` (model,
    reason), ``resources`` (memory_mb, machine_mb, cpu: cores in use, gpu_memory_mb, gpu_share), ``progress`` (share),
    ``log`` (text).
    """

    time: datetime
    kind: str
    data: dict[str, Any] = Field(default_factory=dict)


class FamilySpeed(Spec):
    """Measured seconds of a family on a table: once per training, and per epoch of its smallest network."""

    fixed: float
    epoch: float
    threads: int = 1


class FinishedFit(Spec):
    """A network that is complete, with what the allocation of more time must know of it."""

    fit: PlannedFit
    seconds: float
    validation: float
    """RMSE on the validation rows, in the target's unit."""
    size: int = 0
    trained: int = 0
    """Epochs that were really trained."""
    converged: bool = False
    variant: int = 0
    """Which variant of its family's settings it has; 0 for the usual ones."""


class Checkpoint(Spec):
    """What a training has finished so far: the content of ``checkpoint.json``, from which it can be continued."""

    # Earlier versions wrote more; their runs are shown all the same.
    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: int = SCHEMA_VERSION
    fits: tuple[FinishedFit, ...] = ()
    speeds: dict[str, FamilySpeed] = Field(default_factory=dict)
    reasons: dict[str, str] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    """With what the networks were trained: they can't be taken over by other versions."""


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

    ``improvement`` is 1 - MAE(best) / MAE(baseline); ``interval`` is its paired bootstrap interval. The same of the
    RMSE is None in results of earlier versions.
    """

    baseline: str
    improvement: float
    interval: Interval
    rmse_improvement: float | None = None
    rmse_interval: Interval | None = None


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


class TrainResult(Spec):
    """What a train task found: the content of its ``result.json``."""

    schema_version: int = SCHEMA_VERSION
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
    time_limit: float
    """Seconds that the latest training task was given."""
    continues: bool = False
    """True when that task adds to the models of an earlier one."""
    launched: datetime | None = None
    """When a process was started for that task."""
    started: datetime | None = None
    """When the run's first process took it up."""
    ended: datetime | None = None
    finishing: bool = False
    """True when it was told to finish and keep the best."""
    silent_seconds: float = 0.0
    """How long a running task has given no sign of life."""
    keepable: tuple[str, ...] = ()
    """Networks that were finished although there is no result with them: they can be kept."""
    result: TrainResult | None = None
