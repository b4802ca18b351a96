"""What a training will do, and how far it is, in words."""

from __future__ import annotations

from dlreg_core.checks.findings import listed_names
from dlreg_core.formatting import about, number, percent, quantity, size
from dlreg_core.runs import ModelProgress, ModelState, Outlook
from dlreg_core.specs import Dataset, Recipe, RowCounts, TrainPlan
from dlreg_core.splitting import WHY_DRAWN, seconds_for_all
from dlreg_core.wording.table_text import cleaning_words

_MINUTE, _HOUR = 60, 3600

_CROWDED = 1.5
"""From this multiple of the usual time on it is said that other work slows a run down."""


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


def plan_words(plan: TrainPlan, baselines: int, train_rows: int, columns: int, outlook: Outlook | None = None) -> str:
    """Return what will happen: "4 networks and 4 baselines learn from 14,448 rows with 9 columns, in about 2 min.".

    Once it is known what fits into the time, that many networks are counted: "2 of the 4 chosen networks", and "2 to 4
    of the 4 chosen networks" where the time is nearly enough for two.
    """
    count = len(plan.models)
    networks = "1 network" if count == 1 else f"{count} networks"
    if outlook is not None and not outlook.refusal:
        fewest, most = (count - len(outlook.models) + there for there in outlook.counts)
        if fewest < count:
            networks = f"{fewest if fewest == most else f'{fewest} to {most}'} of the {count} chosen networks"
    of_columns = "1 column" if columns == 1 else f"{columns:,} columns"
    return (
        f"{networks} and {baselines} baselines learn from {train_rows:,} rows with {of_columns}, "
        f"and everything is done in about {budget_words(plan.time_limit)} once the libraries are loaded."
    )


def standing_words(memory_mb: float) -> str:
    """Return that training will begin at once, and what that costs meanwhile."""
    return f"The libraries are loaded, so that training begins at once; they hold {size(memory_mb)} meanwhile."


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
    40 s to train to something useful, and no time will be left for it. With 5 min, all networks would be trained."
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
    busy = [f"The machine is busy at the moment: everything takes about {number(outlook.crowding, 2)} times as long."]
    return " ".join([needs, *large, *(busy if outlook.crowding >= _CROWDED else []), *_time_words(outlook)])


def _time_words(outlook: Outlook) -> list[str]:
    """Say which networks the time will probably not suffice for, and what time would."""
    short = [model for model in outlook.models if model.lacks == "time" and not model.close]
    close = [model.title for model in outlook.models if model.close and not model.late]
    late = [
        f"The time is too short for any network: {model.title} is trained all the same, which needs "
        f"{about(model.seconds_fewest)}, and the run will take longer."
        for model in outlook.models
        if model.late
    ]
    skipped = [f"{model.title} will probably be skipped: it {model.reason}." for model in short]
    if len(short) > 1:
        names = listed_names([model.title for model in short])
        skipped = [f"{names} will probably be skipped, since the time is too short for them."]
    if close:
        skipped.append(f"Whether there is time for {listed_names(close)} shows when the speed here is measured.")
    enough = outlook.seconds_for_all
    free = ", once the machine is free" if outlook.crowding >= _CROWDED else ""
    more = [f"With {budget_words(enough)}, all networks would be trained{free}."] if enough is not None else []
    return [*late, *skipped, *more]


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
