"""What to do: recipe, plan and experiment."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from dlreg_core.specs.base import Name, Spec, Unit, VersionedSpec, now
from dlreg_core.specs.cleaning import Cleaning, History
from dlreg_core.specs.tables import ColumnType

ROW_ORDER = "(order of the rows)"
"""Stands for a column that a split by time goes by, where the rows themselves are the order."""


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
    gap: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """By time: how far apart the parts are at least, in days, or in the column's own numbers; rows between are left
    out."""
    stratified: bool = False
    """At random: whether each part gets small and large targets in the same proportions, as folds always do."""
    keep_twins: bool = False
    """Whether rows that are all but equal stay on one side, at random and beside an own test file."""
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
        if self.gap and self.kind != "time":
            raise ValueError("only a split by time has a gap")
        if self.choose_by == "folds" and self.kind == "time":
            raise ValueError("a split by time has validation rows of its own: folds would learn from later rows")
        return self


def split_text(split: Split) -> str:
    """Return a split as the command line takes it: random, time:COLUMN, group:COLUMN, own."""
    if split.kind == "random" and split.stratified:
        return "stratified"
    return f"{split.kind}:{split.column}" if split.column else split.kind


TransformName = Literal["none", "log", "box-cox", "yeo-johnson"]
"""The scale that a target is learned on."""


class Recipe(Spec):
    """From a table to training, validation and test rows: target, columns, repairs and split."""

    target: str
    features: tuple[str, ...] = Field(min_length=1)
    unit: Unit = ""
    types: dict[str, ColumnType] = Field(default_factory=dict)
    """Types that a person set, by column; the profile's types hold for the others."""
    cleaning: Cleaning = Cleaning()
    split: Split = Split()
    history: History | None = None
    """Columns that are made of earlier rows; they are predicted from beside `features`."""
    target_transform: TransformName = "none"
    """On which scale the target is learned; all that is predicted and told stays in the target's own unit."""

    @model_validator(mode="after")
    def _target_is_no_feature(self) -> Self:
        if self.target in self.features:
            raise ValueError("the target can't be one of the columns that predict it")
        return self


Preset = Literal["fast", "balanced", "best"]
Device = Literal["auto", "cpu", "gpu"]


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

    models: tuple[str, ...] = Field(min_length=1)
    """Keys of the network families, which `dlreg_core.networks` knows; `default_plan` there has the usual ones."""
    preset: Preset = "balanced"
    time_limit: float = Field(default=120.0, gt=0)
    """Seconds for the whole run: preparing, fitting, evaluating and explaining."""
    device: Device = "auto"
    seed: int = 0
    most_rows: int = Field(default=0, ge=0)
    """Rows to draw from a table that has more; 0 leaves it to the program, which looks at the time."""
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
    rows: int = 0
    """Rows that were drawn at random to train on, for which `seed` is the seed too; 0 for all training rows."""
    seed: int
    threads: int
    device: Literal["cpu", "gpu"]
    fell_back: bool = False
    """Whether it was trained on the processor because the GPU's memory did not suffice."""
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
    baseline_folds: int = 0
    """How many folds they were grown without, to predict them; 0 where there are none, and in earlier versions."""
    explained_model: str = ""
    explain_rows: int = 0
    explain_background: int = 0
    explain_permutations: int = 0


class Experiment(VersionedSpec):
    """Data set + recipe + plan: everything needed to repeat a run."""

    name: Name
    owner: str = "local"
    """Whom the run belongs to."""
    dataset_id: str
    dataset_name: Name
    recipe: Recipe
    plan: TrainPlan
    replay_of: str | None = None
    replay: ResolvedPlan | None = None
    created: datetime = Field(default_factory=now)
