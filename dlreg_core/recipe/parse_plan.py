"""A plan from what is typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, get_args

from dlreg_core.errors import PlanError
from dlreg_core.networks import default_plan, family, parsed_setting
from dlreg_core.search import search_from_texts
from dlreg_core.specs import Device, Preset, Spec, TrainPlan


class TypedPlan(Spec):
    """A plan as it is typed; the fields are called as the options of the command line are."""

    time_limit: float
    preset: str = "balanced"
    models: str = ""
    setting: tuple[str, ...] = ()
    search: str = ""
    search_range: tuple[str, ...] = ()
    trials: int | None = None
    device: str = "auto"
    seed: int = 0


def plan_from_texts(typed: TypedPlan, gpus: Callable[[], Sequence[str]]) -> TrainPlan:
    """Return the plan that was typed.

    Parameters
    ----------
    typed : TypedPlan
        What was typed.
    gpus : callable
        Names the GPUs that runs may use; asked only where one is wanted, since that takes its time.

    Raises
    ------
    PlanError
        If something in it isn't known, can't be had, or doesn't go together.
    """
    if typed.preset not in get_args(Preset):
        raise PlanError(f"There is no preset {typed.preset}.", "Choose fast, balanced or best.")
    if typed.device not in get_args(Device):
        raise PlanError(f"There is no device {typed.device}.", "Choose auto, cpu or gpu.")
    if typed.device == "gpu" and not gpus():
        raise PlanError("This machine has no NVIDIA GPU that runs may use.", "Choose auto or cpu.")
    keys = tuple(family(key).key for key in typed.models.split(",") if key.strip())
    chosen: dict[str, Any] = typed.model_dump(include={"time_limit", "preset", "device", "seed"})
    plan = default_plan(**chosen | ({"models": keys} if keys else {}))
    settings = _settings(typed.setting, plan.models)
    search = search_from_texts(
        typed.search, typed.search_range, trials=typed.trials, seed=plan.seed, models=plan.models, fixed=settings
    )
    return plan.model_copy(update={"settings": settings, "search": search})


def _settings(texts: Sequence[str], models: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the chosen settings by family; each of a network that is trained, and given once."""
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        key, name, value = parsed_setting(text)
        if key not in models:
            raise PlanError(f"{text} is a setting of {family(key).title}, which isn't among the networks to train.")
        if name in found.setdefault(key, {}):
            raise PlanError(f"{key}.{name} is given twice.", "Give it once.")
        found[key][name] = value
    return {key: family(key).checked(values) for key, values in found.items()}
