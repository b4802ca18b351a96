"""What a person has chosen so far while preparing, and the recipe that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from dlreg_core.checks import SplitAdvice
from dlreg_core.checks.findings import Repair
from dlreg_core.errors import RecipeError
from dlreg_core.ingest.inference import unit_of
from dlreg_core.networks import default_plan
from dlreg_core.recipe.choices import target_choices
from dlreg_core.runs import write_spec
from dlreg_core.specs import Cleaning, ColumnType, Dataset, History, Recipe, Spec, Split, TrainPlan, TransformName, Unit

UNUSED = (ColumnType.IDENTIFIER, ColumnType.CONSTANT)
"""Types of columns that say nothing about new rows, so that they are left out unless a person wants them."""
_PLAIN = Cleaning()
_NO_TYPES: Mapping[str, ColumnType] = {}


class Draft(Spec):
    """Choices that need not make a recipe yet.

    ``used`` and ``types`` hold only what a person changed. `validation` and `test` are shares of the table's rows, and
    what they leave is for training; with an own test file `test` isn't used.
    """

    target: str
    unit: Unit = ""
    target_transform: TransformName = "none"
    used: dict[str, bool] = Field(default_factory=dict)
    types: dict[str, ColumnType] = Field(default_factory=dict)
    cleaning: Cleaning = Cleaning()
    history: History | None = None
    kind: Literal["random", "time", "group", "own"] = "random"
    column: str | None = None
    validation: float = 0.15
    test: float = 0.15
    seed: int = 0
    test_dataset: str | None = None
    choose_by: Literal["auto", "holdout", "folds"] = "auto"
    folds: int = 0
    gap: float = 0.0
    stratified: bool = False
    keep_twins: bool = False
    split_chosen: bool = False
    """Whether a person chose the split; until then it is the one that was measured to be honest."""
    plan: TrainPlan = Field(default_factory=default_plan)

    def changed(self, **updates: Any) -> Draft:
        """Return a draft with some choices changed."""
        return self.model_copy(update=updates)

    def split_by(self, split: Split) -> Draft:
        """Return a draft that makes `split`."""
        # With an own test file the table's rows are divided in the proportion of training to validation.
        of_rest = round(split.validation / (split.train + split.validation), 6)
        shares = {"validation": of_rest if split.kind == "own" else split.validation}
        return self.changed(**split.model_dump(exclude={"train", "validation"}), **shares)


def start_draft(dataset: Dataset, target: str | None = None, unit: str = "") -> Draft | None:
    """Return the draft to start from: `target` where it is given, else the likeliest one; None when there is none."""
    chosen = target or target_choices(dataset)[1]
    return Draft(target=chosen, unit=unit or unit_of(dataset.column(chosen))) if chosen else None


def draft_of(dataset: Dataset, recipe: Recipe) -> Draft:
    """Return the draft that makes `recipe`, to change it."""
    plain = Draft(target=recipe.target, types=recipe.types)
    used = {
        c.name: c.name in recipe.features
        for c in dataset.columns
        if c.name != recipe.target and (c.name in recipe.features) != is_used(dataset, plain, c.name)
    }
    # The recipe says all that there is: what it has no order for had none, whatever the profile says.
    no_orders: dict[str, tuple[str, ...]] = {n: () for n in recipe.features if dataset.column(n).ordered}
    return Draft(
        target=recipe.target,
        unit=recipe.unit,
        target_transform=recipe.target_transform,
        used=used,
        types=recipe.types,
        cleaning=recipe.cleaning.model_copy(update={"orders": no_orders | recipe.cleaning.orders}),
        history=recipe.history,
        split_chosen=True,
    ).split_by(recipe.split)


def with_advice(draft: Draft, advice: SplitAdvice) -> Draft:
    """Return a draft that starts with the split that was measured to be honest, unless a person chose another."""
    if draft.split_chosen or (draft.kind, draft.column) == (advice.kind, advice.column):
        return draft
    return draft.changed(kind=advice.kind, column=advice.column)


def measured_recipe(dataset: Dataset, draft: Draft) -> Recipe:
    """Return of a draft's recipe what a measure of splits depends on: neither the split nor how gaps are filled.

    Raises
    ------
    RecipeError
        If no column is left to predict from.
    """
    cleaning = draft.cleaning.repairs_and("drop_duplicates")
    plain = Draft(target=draft.target, used=draft.used, types=draft.types, cleaning=cleaning, history=draft.history)
    return recipe_of(dataset, plain)


def type_of(dataset: Dataset, draft: Draft, name: str) -> ColumnType:
    """Return the type of a column: the profile's, unless a person set another one."""
    return draft.types.get(name, dataset.column(name).type)


def is_used(dataset: Dataset, draft: Draft, name: str) -> bool:
    """Tell whether a column is one to predict from."""
    return draft.used.get(name, type_of(dataset, draft, name) not in UNUSED)


def level_order_of(dataset: Dataset, draft: Draft, name: str) -> tuple[str, ...]:
    """Return the order of a category's levels, the lowest first; empty where it has none."""
    if type_of(dataset, draft, name) is not ColumnType.CATEGORY:
        return ()
    return draft.cleaning.orders.get(name, dataset.column(name).ordered)


def with_profile(
    dataset: Dataset,
    features: tuple[str, ...],
    cleaning: Cleaning = _PLAIN,
    types: Mapping[str, ColumnType] = _NO_TYPES,
) -> Cleaning:
    """Return a cleaning that also holds what the profile says about the features' values: orders of levels, and units.

    Parameters
    ----------
    dataset : Dataset
        The profile.
    features : tuple of str
        The columns to predict from.
    cleaning : Cleaning
        What a person chose; it goes before the profile.
    types : mapping of str to ColumnType
        Types that a person set.
    """
    kinds = {name: types.get(name, dataset.column(name).type) for name in features}
    levelled = [name for name, kind in kinds.items() if kind is ColumnType.CATEGORY]
    numbers = [name for name, kind in kinds.items() if kind is ColumnType.NUMBER]
    units = {name: cleaning.units.get(name, unit_of(dataset.column(name))) for name in numbers}
    # A unit of none, where a person chose it, lets texts be read as numbers.
    units = {name: unit for name, unit in units.items() if unit or name in cleaning.units}
    decimal = dataset.dialect.decimal if units and dataset.dialect is not None else "."
    orders = {name: cleaning.orders.get(name, dataset.column(name).ordered) for name in levelled}
    orders = {name: order for name, order in orders.items() if order}
    return cleaning.model_copy(update={"orders": orders, "units": units, "decimal": decimal})


def recipe_of(dataset: Dataset, draft: Draft) -> Recipe:
    """Return the recipe that a draft makes.

    Raises
    ------
    RecipeError
        If something is missing, or doesn't fit together.
    """
    features = tuple(n for n in dataset.column_names if n != draft.target and is_used(dataset, draft, n))
    if not features:
        raise RecipeError("No column is left to predict from.", "Tick at least one column.")
    types = {n: t for n, t in draft.types.items() if n in features and t is not dataset.column(n).type}
    # Whoever ticks an identifier wants it: the cleaning must not take it away again.
    wanted = any(type_of(dataset, draft, n) is ColumnType.IDENTIFIER for n in features)
    cleaning = draft.cleaning.model_copy(update={"drop_identifiers": not wanted})
    return Recipe(
        target=draft.target,
        features=features,
        unit=draft.unit,
        types=types,
        cleaning=with_profile(dataset, features, cleaning, types),
        history=draft.history,
        split=_split(dataset, draft),
        target_transform=draft.target_transform,
    )


def is_repaired(dataset: Dataset, draft: Draft, repair: Repair) -> bool:
    """Tell whether a draft does what a repair asks for."""
    cleaning = draft.cleaning
    return (
        not any(is_used(dataset, draft, name) for name in repair.leave_out)
        and all(set(v) <= set(cleaning.missing_codes.get(name, ())) for name, v in repair.missing_codes.items())
        and all(v.items() <= cleaning.merged_labels.get(name, {}).items() for name, v in repair.merged_labels.items())
        and all(
            (cleaning.units.get(name), draft.types.get(name)) == (unit, ColumnType.NUMBER)
            for name, unit in repair.units.items()
        )
        and all(draft.types.get(name) is kind for name, kind in repair.types.items())
        and (repair.split is None or (draft.kind, draft.column) == repair.split)
        and (cleaning.drop_duplicates or not repair.drop_duplicates)
        and (repair.target_transform is None or draft.target_transform == repair.target_transform)
    )


def with_repair(draft: Draft, repair: Repair, *, wanted: bool = True) -> Draft:
    """Return a draft that does what a repair asks for, or no longer does it."""
    used = {name: use for name, use in draft.used.items() if name not in repair.leave_out}
    if wanted:
        used |= dict.fromkeys(repair.leave_out, False)
    codes, labels = dict(draft.cleaning.missing_codes), dict(draft.cleaning.merged_labels)
    for name, values in repair.missing_codes.items():
        others = tuple(value for value in codes.pop(name, ()) if value not in values)
        kept = (*others, *values) if wanted else others
        if kept:
            codes[name] = kept
    for name, merged in repair.merged_labels.items():
        rest = {label: whole for label, whole in labels.pop(name, {}).items() if label not in merged}
        made = rest | merged if wanted else rest
        if made:
            labels[name] = made
    units = {name: unit for name, unit in draft.cleaning.units.items() if name not in repair.units}
    types = {n: kind for n, kind in draft.types.items() if n not in repair.units and n not in repair.types}
    if wanted:
        units |= repair.units
        types |= dict.fromkeys(repair.units, ColumnType.NUMBER) | repair.types
    updates: dict[str, Any] = {"missing_codes": codes, "merged_labels": labels, "units": units}
    if repair.drop_duplicates:
        updates["drop_duplicates"] = wanted
    more: dict[str, Any] = {}
    if repair.target_transform is not None and (wanted or draft.target_transform == repair.target_transform):
        more["target_transform"] = repair.target_transform if wanted else "none"
    if repair.split is not None:
        more["kind"], more["column"] = repair.split if wanted else ("random", None)
        more["split_chosen"] = True
    return draft.changed(used=used, types=types, cleaning=draft.cleaning.model_copy(update=updates), **more)


def _split(dataset: Dataset, draft: Draft) -> Split:
    if draft.kind == "own" and not draft.test_dataset:
        raise RecipeError("There is no test file yet.", "Choose the file whose rows will judge the models.")
    if draft.kind == "own" and draft.test_dataset == dataset.id:
        raise RecipeError(
            "The test file is the table itself, so its rows would judge what was learned from them.",
            "Choose a file with other rows.",
        )
    if draft.kind in ("time", "group") and not draft.column:
        raise RecipeError(f"There is no column to split by {draft.kind} with.", "Choose another split.")
    # With an own test file the table's rows are divided in the proportion of training to validation.
    validation = draft.validation * (1 - draft.test) if draft.kind == "own" else draft.validation
    try:
        return Split(
            kind=draft.kind,
            column=draft.column if draft.kind in ("time", "group") else None,
            train=round(1 - validation - draft.test, 6),
            validation=round(validation, 6),
            test=draft.test,
            seed=draft.seed,
            test_dataset=draft.test_dataset if draft.kind == "own" else None,
            choose_by="auto" if draft.kind == "time" else draft.choose_by,
            folds=draft.folds if draft.choose_by == "folds" and draft.kind != "time" else 0,
            gap=draft.gap if draft.kind == "time" else 0.0,
            stratified=draft.stratified and draft.kind in ("random", "own"),
            keep_twins=draft.keep_twins and draft.kind in ("random", "own"),
        )
    except ValidationError as exc:
        raise RecipeError(
            "The shares of validation and test rows leave no rows to train on.", "Make one of them smaller."
        ) from exc


def save_draft(home: Path, owner: str, dataset_id: str, draft: Draft) -> None:
    """Keep a draft, so that it survives a reload of the browser."""
    path = _path(home, owner, dataset_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_spec(path, draft)


def load_draft(home: Path, owner: str, dataset_id: str) -> Draft | None:
    """Return the draft that was kept last; None where there is none that this version can read."""
    try:
        return Draft.model_validate_json(_path(home, owner, dataset_id).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def delete_drafts(home: Path, owner: str | None, dataset_id: str) -> None:
    """Remove the draft of a data set; those of all owners without one."""
    for path in _drafts_of(home, dataset_id, owner):
        path.unlink(missing_ok=True)


def forget_test_file(home: Path, dataset_id: str) -> None:
    """Take a data set that is deleted out of the drafts that wanted to judge by it."""
    for path in (home / "drafts").glob("*/*.json"):
        with suppress(FileNotFoundError, ValidationError):
            draft = Draft.model_validate_json(path.read_bytes())
            if draft.test_dataset == dataset_id:
                write_spec(path, draft.changed(test_dataset=None))


def drafted(home: Path, dataset_id: str, owner: str | None = None) -> float:
    """Return when a draft of a data set was last kept, by `owner` or anybody, in seconds since 1970; 0 for never."""
    return max((path.stat().st_mtime for path in _drafts_of(home, dataset_id, owner)), default=0.0)


def judged_by_drafts(home: Path) -> frozenset[str]:
    """Return the data sets that some draft wants to judge by."""
    found = set()
    for path in (home / "drafts").glob("*/*.json"):
        with suppress(FileNotFoundError, ValidationError):
            found.add(Draft.model_validate_json(path.read_bytes()).test_dataset or "")
    return frozenset(found - {""})


def _drafts_of(home: Path, dataset_id: str, owner: str | None) -> tuple[Path, ...]:
    if owner is not None:
        path = _path(home, owner, dataset_id)
        return (path,) if path.is_file() else ()
    return tuple((home / "drafts").glob(f"*/{dataset_id}.json"))


def _path(home: Path, owner: str, dataset_id: str) -> Path:
    # The name of an owner may hold anything; in hexadecimal it is a file name everywhere.
    return home / "drafts" / owner.encode().hex() / f"{dataset_id}.json"
