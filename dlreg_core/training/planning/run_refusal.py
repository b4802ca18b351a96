"""Why a run can't be carried out, with both numbers, and what to change so that it can."""

from __future__ import annotations

import math

from dlreg_core.formatting import about, number, size
from dlreg_core.runs import Outlook
from dlreg_core.specs import TrainPlan
from dlreg_core.wording import budget_words

_OPTIMISM, _OPTIMISM_OF_MANY = 3.0, 6.0
"""A run is refused for lack of time only when it needs more than this multiple of what it may have; the second where
several cores or a GPU share the work."""

_GRACE_SECONDS = 10.0
"""By so much more than its budget a run may take before that counts as too much."""

_PILOT_SHARE, _TRAINING_SHARE = 1.2, 0.69
"""What measuring adds to a training, and the share of a short budget that judging and explaining leave."""

_EXACT_BELOW = 600.0


def both_sizes(needed_mb: float, free_mb: float) -> tuple[str, str]:
    """Return two sizes of which the first is larger, with as many digits as it takes to see that."""
    needed, free = size(needed_mb), size(free_mb)
    return (needed, free) if needed != free else (f"{math.ceil(needed_mb):,} MB", f"{math.floor(free_mb):,} MB")


def seconds_words(seconds: float) -> str:
    """Return an expected time with two digits, so that times that differ don't read the same."""
    return f"about {number(math.ceil(seconds), 2)} s" if seconds < _EXACT_BELOW else about(seconds)


def lack_of_memory(outlook: Outlook, baselines: float) -> dict[str, str]:
    """Return the words of a refusal, by the field of `Outlook`; nothing where there is no reason for one."""
    if baselines > outlook.memory_free_mb:
        needed, free = both_sizes(baselines, outlook.memory_free_mb)
        refusal = f"Fitting the baselines to this table needs about {needed} of memory, and {free} are free."
        hint = "Use fewer rows, or leave out columns, above all categories with many levels."
        return {"lacks": "memory", "refusal": refusal, "hint": hint}
    if any(model.lacks != "memory" for model in outlook.models):
        return {}
    least = min(outlook.models, key=lambda model: model.memory_mb)
    needed, free = both_sizes(least.memory_mb, outlook.memory_free_mb)
    refusal = (
        f"No chosen network fits into the memory: {least.title} needs the least, about {needed}, and {free} are free."
    )
    hint = "Wait until other runs have ended, use fewer rows or columns, or a machine with more memory."
    return {"lacks": "memory", "refusal": refusal, "hint": hint}


def lack_of_disk(outlook: Outlook) -> dict[str, str]:
    """Return the words of a refusal, as `lack_of_memory` does."""
    if outlook.disk_mb <= outlook.disk_free_mb:
        return {}
    needed, free = both_sizes(outlook.disk_mb, outlook.disk_free_mb)
    refusal = f"The run needs about {needed} of disk, and {free} are free."
    hint = "Delete runs that aren't needed any more, or give the server more space."
    return {"lacks": "disk", "refusal": refusal, "hint": hint}


def lack_of_time(outlook: Outlook, plan: TrainPlan, *, shared: bool) -> dict[str, str]:
    """Return the words of a refusal, as `lack_of_memory` does; `shared` where several cores or a GPU share the work."""
    quickest = min(
        (model for model in outlook.models if model.lacks != "memory"), key=lambda model: model.seconds_fewest
    )
    optimism = _OPTIMISM_OF_MANY if shared else _OPTIMISM
    # What else the machine does is no reason to refuse a run: it may end.
    if quickest.seconds_fewest / outlook.crowding <= optimism * (plan.time_limit + _GRACE_SECONDS):
        return {}
    refusal = (
        f"{quickest.title}, the quickest of the chosen networks, needs {seconds_words(quickest.seconds_fewest)} to "
        f"train to something useful on this table, and the run has {budget_words(plan.time_limit)}."
    )
    enough = _rounded_up((outlook.seconds_startup + _PILOT_SHARE * quickest.seconds_fewest) / _TRAINING_SHARE)
    hint = f"Give it {budget_words(enough)} or more, use fewer rows or columns, or choose a quicker network."
    return {"lacks": "time", "refusal": refusal, "hint": hint}


def _rounded_up(seconds: float) -> float:
    """Return a budget as a person would choose it, not shorter than `seconds`."""
    step = 60 if seconds <= 600 else 300 if seconds <= 3600 else 1800
    return float(math.ceil(seconds / step) * step)
