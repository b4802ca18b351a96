"""What a run is about: a table, its recipe and a plan, or what an earlier run trained."""

from __future__ import annotations

from dlreg_core.errors import ConflictError, PlanError
from dlreg_core.runs import RunFolder
from dlreg_core.specs import Dataset, Experiment, Recipe, TrainPlan


def usual_name(dataset_name: str, target: str) -> str:
    """Return what an experiment is called unless it was given a name."""
    return f"{dataset_name} → {target}"


def experiment_of(dataset: Dataset, recipe: Recipe, plan: TrainPlan, name: str = "") -> Experiment:
    """Return a new experiment, with its usual name unless it is given one."""
    return Experiment(
        name=name or usual_name(dataset.name, recipe.target),
        dataset_id=dataset.id,
        dataset_name=dataset.name,
        recipe=recipe,
        plan=plan,
    )


def repeated(run: RunFolder, dataset: Dataset, target: str, name: str = "") -> Experiment:
    """Return an experiment that trains what a run has trained, without looking at the clock.

    Raises
    ------
    ConflictError
        If the run has no result.
    PlanError
        If it was about another table or target.
    """
    result, experiment = run.result(), run.experiment()
    if result is None:
        raise ConflictError(f"Run {run.id} has no resolved plan to repeat.", "Only a finished run can be repeated.")
    if (dataset.id, target) != (experiment.dataset_id, experiment.recipe.target):
        raise PlanError(
            f"Run {run.id} was about {experiment.recipe.target} of {experiment.dataset_name}.",
            "Give the same file and target to repeat it.",
        )
    return Experiment(
        name=name or f"{experiment.name} (repeated)",
        dataset_id=experiment.dataset_id,
        dataset_name=experiment.dataset_name,
        recipe=experiment.recipe,
        plan=experiment.plan,
        replay_of=run.id,
        replay=result.plan,
    )
