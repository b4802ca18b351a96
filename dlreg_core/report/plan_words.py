"""What a training will do, and how far it is, in words."""

from __future__ import annotations

from collections.abc import Sequence

from dlreg_core.charts.numbers import about, percent, quantity, size
from dlreg_core.prepare.drawing import WHY_DRAWN, seconds_for_all
from dlreg_core.report.table_words import cleaning_words
from dlreg_core.runs.outlook import ModelOutlook, Outlook
from dlreg_core.runs.progress import ModelProgress, ModelState
from dlreg_core.specs import Dataset, Recipe, RowCounts, TrainPlan

_MINUTE, _HOUR = 60, 3600


def budget_words(seconds: float) -> str:
    """Return a budget: "30 s", "2 min", "1 h"."""
    if seconds < _MINUTE:
        return f"{seconds:g} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:g} min"
    return f"{seconds / _HOUR:g} h"


def clock(seconds: float) -> str:
    """Return a running time as a clock shows it: "0:07", "1:12", "2:05:00"."""
    minutes, rest = divmod(max(0, int(seconds)), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def recipe_words(recipe: Recipe) -> str:
    """Return what is predicted: "Predict price from 9 columns, judged on a random 15 % of the rows."."""
    split, count = recipe.split, len(recipe.features)
    columns = "1 column" if count == 1 else f"{count:,} columns"
    judged = {
        "random": f"a random {percent(split.test)} of the rows",
        "time": f"the newest {percent(split.test)} of the rows by {split.column}",
        "group": f"groups of {split.column} that the models have never seen",
        "own": "the rows of your own test file",
    }[split.kind]
    more = cleaning_words(recipe)
    text = f"Predict {recipe.target} from {columns}, judged on {judged}."
    return f"{text} {more[:1].upper()}{more[1:]}." if more else text


def plan_words(plan: TrainPlan, baselines: int, train_rows: int, columns: int) -> str:
    """Return what will happen: "4 networks and 4 baselines learn from 14,448 rows with 9 columns, in about 2 min."."""
    count = len(plan.models)
    networks = "1 network" if count == 1 else f"{count} networks"
    of_columns = "1 column" if columns == 1 else f"{columns:,} columns"
    return (
        f"{networks} and {baselines} baselines learn from {train_rows:,} rows with {of_columns}, "
        f"and everything is done in about {budget_words(plan.time_limit)}. "
        "A network that can't learn anything useful in its share of the time is skipped, and the leaderboard says so."
    )


def drawn_words(dataset: Dataset, counts: RowCounts) -> str:
    """Return how many rows of a very large table a run uses, and what time would use all; empty where it does."""
    if not counts.drawn:
        return ""
    return (
        f"Of the {counts.drawn_from:,} rows, {counts.drawn:,} are used, drawn at random: {WHY_DRAWN}. "
        f"With {about(seconds_for_all(dataset))}, all would be."
    )


def outlook_words(outlook: Outlook) -> str:
    """Return what a run needs and what it will do without, or why it can't be carried out and what to change.

    "Needs about 1.2 GB of memory (21 GB are free) and 60 MB of disk. RealMLP will probably be skipped: it needs about
    40 s to train to something useful, and no time will be left for it."
    """
    if outlook.refusal:
        return f"{outlook.refusal} {outlook.hint}".strip()
    needs = (
        f"Needs about {size(outlook.memory_mb)} of memory ({size(outlook.memory_free_mb)} are free) "
        f"and {size(outlook.disk_mb)} of disk."
    )
    large = [
        f"{model.title} will be skipped: it {model.reason}." for model in outlook.models if model.lacks == "memory"
    ]
    return " ".join([needs, *large, *_late_words([model for model in outlook.models if model.lacks == "time"])])


def _late_words(late: Sequence[ModelOutlook]) -> list[str]:
    """Say which networks the time will probably not suffice for, in one sentence."""
    if len(late) < 2:
        return [f"{model.title} will probably be skipped: it {model.reason}." for model in late]
    names = f"{', '.join(model.title for model in late[:-1])} and {late[-1].title}"
    least = about(min(model.seconds_fewest for model in late))
    return [
        f"{names} will probably be skipped: each needs {least} or more to train to something useful, "
        "and that will not be left for it."
    ]


def state_words(model: ModelProgress) -> str:
    """Return the state of a model: "training 43 %"."""
    if model.state is ModelState.TRAINING and model.epochs:
        return f"training {model.share:.0%}".replace("%", " %")
    return "not finished" if model.state is ModelState.STOPPED else model.state.value


def best_words(model: ModelProgress | None, unit: str) -> str:
    """Return the best model so far: "Best so far: TabM, RMSE $47,500 on the validation rows."."""
    if model is None or model.validation is None:
        return "No network has learned anything yet."
    return f"Best so far: {model.model}, RMSE {quantity(model.validation, unit)} on the validation rows."
