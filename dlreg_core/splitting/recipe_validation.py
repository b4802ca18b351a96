"""Whether a recipe fits its table: what it names is there, and its target is a number that can be learned."""

from __future__ import annotations

from dlreg_core.cleaning import refuse_too_large
from dlreg_core.errors import RecipeError
from dlreg_core.ingest.inference import is_clock, names_hint
from dlreg_core.specs import ROW_ORDER, Column, ColumnType, Dataset, Recipe

_NEARLY_NUMBERS = ("not-numbers", "mixed-units", "leading-zeros")


def check_recipe(dataset: Dataset, recipe: Recipe) -> None:
    """Refuse a recipe that names columns that aren't there, or a target that is no number.

    Raises
    ------
    RecipeError
        With the sentence that says so.
    """
    known = dataset.column_names
    split = [recipe.split.column] if recipe.split.column not in (None, ROW_ORDER) else []
    for name in (recipe.target, *recipe.features, *split, *recipe.cleaning.named):
        if name not in known:
            raise RecipeError(f"The table has no column {name}.", names_hint(name, known))
    kind = recipe.types.get(recipe.target, dataset.column(recipe.target).type)
    if kind not in (ColumnType.NUMBER, ColumnType.IDENTIFIER) and not is_clock(dataset.column(recipe.target)):
        raise RecipeError(
            f"The target {recipe.target} is a {kind.value} column, and only a number can be predicted here.",
            _what_target_lacks(dataset.column(recipe.target)),
        )
    target = dataset.column(recipe.target)
    # A code for a missing value may be the largest one.
    if not recipe.cleaning.missing_codes.get(recipe.target):
        refuse_too_large(
            max((abs(end) for end in (target.minimum, target.maximum) if isinstance(end, float)), default=0)
        )


def _what_target_lacks(column: Column) -> str:
    """Say why a target is no column of numbers, where reading it told, and what to do."""
    if column.note_code in _NEARLY_NUMBERS:
        return f"{column.note} Correct that in the file, or choose a column of numbers."
    return column.note if column.note_code == "no-results" else "Choose a column of numbers."
