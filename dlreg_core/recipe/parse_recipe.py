"""What is chosen of a recipe, from what is typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast, get_args

from pydantic import ValidationError

from dlreg_core.errors import PlanError
from dlreg_core.ingest.formats import ordinary
from dlreg_core.ingest.inference import named_column, unit_of
from dlreg_core.recipe.draft import Draft
from dlreg_core.specs import Cleaning, ColumnType, Dataset, History, Spec, Split, TransformName


class CleaningSteps(Spec):
    """The content of a file that says how to clean: fields as in a recipe, each optional."""

    cleaning: Cleaning = Cleaning()
    history: History | None = None


class TypedRecipe(Spec):
    """A recipe as it is typed; the fields are called as the options of the command line are."""

    target: str
    drop: str = ""
    transform: str = "none"
    steps: CleaningSteps = CleaningSteps()
    test_dataset: str | None = None
    split: str = "auto"
    gap: float = 0.0
    horizon: int | None = None
    validation: str = "auto"
    seed: int = 0


def draft_from_texts(dataset: Dataset, typed: TypedRecipe) -> Draft:
    """Return the choices that were typed; all else is as where a person prepares a table on a page.

    Raises
    ------
    PlanError
        If something in it isn't known, or doesn't go together.
    """
    names, cleaning = dataset.column_names, typed.steps.cleaning
    target = named_column(typed.target, names) or typed.target
    # Whoever doesn't have columns left out that say nothing about new rows wants them.
    kept = {ColumnType.IDENTIFIER: not cleaning.drop_identifiers, ColumnType.CONSTANT: not cleaning.drop_constant}
    wanted = {column.name: True for column in dataset.columns if kept.get(column.type)}
    measured = typed.split == "auto"
    split = split_from_text(
        "random" if measured else typed.split, typed.test_dataset, typed.validation, typed.seed, typed.gap
    )
    column = named_column(split.column or "", names) or split.column
    return Draft(
        target=target,
        unit=unit_of(dataset.column(target)) if target in names else "",
        target_transform=transform_from_text(typed.transform),
        used=wanted | dict.fromkeys(_dropped(dataset, typed.drop), False),
        cleaning=cleaning,
        history=with_horizon(typed.steps.history, target, typed.horizon),
        split_chosen=not measured or typed.test_dataset is not None,
    ).split_by(split.model_copy(update={"column": column}))


def _dropped(dataset: Dataset, texts: str) -> set[str]:
    dropped = set()
    for name in (part.strip() for part in texts.split(",") if part.strip()):
        found = named_column(name, dataset.column_names)
        if found is None:
            raise PlanError(f"There is no column {name} to drop.", f"There are {', '.join(dataset.column_names[:12])}.")
        dropped.add(found)
    return dropped


def steps_from_file(path: Path) -> CleaningSteps:
    """Read how to clean from a JSON file.

    Raises
    ------
    PlanError
        If it can't be read, or says something that isn't known; the message names the place.
    """
    try:
        return CleaningSteps.model_validate_json(ordinary(path).read_bytes())
    except OSError as exc:
        raise PlanError(f"{path} can't be read ({exc.strerror}).", "Give a JSON file.") from exc
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        where = f" at {place}" if place else ""
        raise PlanError(f"{path} isn't a description of cleaning steps{where}: {first['msg']}.") from exc


def with_horizon(history: History | None, target: str, steps: int | None) -> History | None:
    """Return how columns are made of earlier rows, for predictions so many steps ahead; None leaves it as it is.

    Raises
    ------
    PlanError
        If no column is made of earlier values of the target: others can be predicted as far ahead as their columns go.
    """
    if steps is None:
        return history
    if history is None or target not in {made.column for made in history.columns}:
        raise PlanError(
            f"No column is made of earlier values of {target}, so that there is no horizon.",
            "Leave out --horizon, or add such a column with --cleaning.",
        )
    return history.model_copy(update={"horizon": steps})


def transform_from_text(text: str) -> TransformName:
    """Return the scale of the target from its name.

    Raises
    ------
    PlanError
        If there is none of that name.
    """
    for name in get_args(TransformName):
        if text == name:
            return cast(TransformName, name)
    raise PlanError(f"There is no transform {text}.", f"Choose {', '.join(get_args(TransformName))}.")


def split_from_text(text: str, test_dataset: str | None, validation: str, seed: int, gap: float = 0.0) -> Split:
    """Return a split from words: how the rows are divided, an own test file, and what chooses between models.

    Raises
    ------
    PlanError
        If one of them isn't known, or they don't go together.
    """
    kind, _, column = text.partition(":")
    choice = _choice_of_models(validation)
    if gap and kind != "time":
        raise PlanError("Only a split by time has a gap.", "Use --split time:COLUMN.")
    stratified = text == "stratified"
    if test_dataset is not None:
        if text not in ("random", "stratified"):
            raise PlanError("An own test file and a split by column can't be had together.", "Give one of the two.")
        return Split(kind="own", test_dataset=test_dataset, seed=seed, stratified=stratified, **choice)
    if kind in ("random", "stratified") and not column:
        return Split(seed=seed, stratified=stratified, **choice)
    if kind == "time" and column:
        if choice.get("choose_by") == "folds":
            raise PlanError("A split by time can't have folds: networks would learn from later rows.", "Use holdout.")
        return Split(kind="time", column=column, seed=seed, gap=gap, **choice)
    if kind == "group" and column:
        return Split(kind="group", column=column, seed=seed, **choice)
    raise PlanError(f"{text!r} is no split.", "Use random, stratified, time:COLUMN or group:COLUMN.")


def _choice_of_models(text: str) -> dict[str, Any]:
    kind, _, number = text.partition(":")
    if kind in ("auto", "holdout", "folds") and not number:
        return {"choose_by": kind}
    if kind == "folds" and number.isdecimal() and 2 <= int(number) <= 20:
        return {"choose_by": "folds", "folds": int(number)}
    raise PlanError(f"{text!r} is no way to choose between models.", "Use auto, holdout, folds or folds:2 to folds:20.")
