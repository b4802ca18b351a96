"""What a person chose, ticked or typed, and what each choice changes: the one way to an experiment."""

from __future__ import annotations

from dlreg_core.recipe.choices import ColumnChoice, StepPreview, column_choices, preview_steps, target_choices
from dlreg_core.recipe.column_edits import ColumnEdit, with_column_edits
from dlreg_core.recipe.draft import (
    Draft,
    delete_drafts,
    draft_of,
    drafted,
    forget_test_file,
    is_repaired,
    is_used,
    judged_by_drafts,
    level_order_of,
    load_draft,
    measured_recipe,
    recipe_of,
    save_draft,
    start_draft,
    type_of,
    with_advice,
    with_repair,
)
from dlreg_core.recipe.new_experiment import experiment_of, repeated, usual_name
from dlreg_core.recipe.parse_recipe import CleaningSteps, TypedRecipe, draft_from_texts, steps_from_file

__all__ = [
    "CleaningSteps",
    "ColumnChoice",
    "ColumnEdit",
    "Draft",
    "StepPreview",
    "TypedRecipe",
    "column_choices",
    "delete_drafts",
    "draft_from_texts",
    "draft_of",
    "drafted",
    "experiment_of",
    "forget_test_file",
    "is_repaired",
    "is_used",
    "judged_by_drafts",
    "level_order_of",
    "load_draft",
    "measured_recipe",
    "preview_steps",
    "recipe_of",
    "repeated",
    "save_draft",
    "start_draft",
    "steps_from_file",
    "target_choices",
    "type_of",
    "usual_name",
    "with_advice",
    "with_column_edits",
    "with_repair",
]
