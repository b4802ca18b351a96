"""Train: how long, how thoroughly, on what, which networks."""

from __future__ import annotations

import streamlit as st

from dlreg_core.errors import PlanError
from dlreg_core.jobs import cpu_cores, gpu_names
from dlreg_core.networks import FAMILIES
from dlreg_core.specs import TrainPlan
from dlreg_core.wording import budget_words
from pages._ui.shared import session
from pages._ui.train import pretrained_form, search_form, settings_form

_SECONDS = (30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800)
_EFFORTS = {"fast": "Fast", "balanced": "Balanced", "best": "Best"}
_EFFORT_HELP = (
    "**Fast**: each network is trained once. **Balanced**: what time is left goes into a few more trainings of the "
    "best ones. **Best**: into as many as there is time for."
)


def choose_plan(start: TrainPlan, key: str) -> TrainPlan | None:
    """Let a person choose the plan, beginning with `start`; None while what is chosen can't be had.

    Parameters
    ----------
    start : TrainPlan
        What to show at first.
    key : str
        Keeps the choices of this place apart from those of others.
    """
    with st.container(horizontal=True, gap="large"):
        seconds = choose_time(start.time_limit, key)
        effort = st.segmented_control(
            "Effort",
            list(_EFFORTS),
            default=start.preset,
            required=True,
            format_func=_EFFORTS.__getitem__,
            key=f"effort_{key}",
            help=_EFFORT_HELP,
        )
        device = _device(start, key)
    models = _networks(start, key)
    if not models:
        st.warning("No network is ticked. Tick at least one.", icon=":material/warning:")
        return None
    settings = settings_form.choose_settings(start.settings, models, key)
    if settings is None:
        return None
    try:
        search = search_form.choose_search(start.search, models, settings, start.seed, key)
    except PlanError:
        return None
    values = {
        "time_limit": float(seconds),
        "preset": effort,
        "device": device,
        "models": models,
        "settings": settings,
        "search": search,
    }
    return TrainPlan.model_validate(start.model_dump() | values)


def choose_time(start: float, key: str) -> float:
    """Let a person choose how much time to spend, in seconds."""
    return st.select_slider(
        "Time to spend",
        sorted({*map(float, _SECONDS), start}),
        value=start,
        format_func=budget_words,
        key=f"time_{key}",
        width=340,
        help="For everything: preparing, training, judging and the first explanation.",
    )


def _device(start: TrainPlan, key: str) -> str:
    """Show what the networks run on; where there is a GPU, it is a choice."""
    cores = cpu_cores()
    cpu = f"CPU ({cores} cores)" if cores > 1 else "CPU (1 core)"
    gpus = gpu_names()
    if not gpus:
        with st.container(width="content", gap="xsmall"):
            st.caption("Runs on", help="This machine has no NVIDIA GPU that its driver knows.")
            st.markdown(cpu)
        return start.device if start.device != "gpu" else "auto"
    names = {"auto": gpus[0], "cpu": cpu}
    chosen = st.segmented_control(
        "Runs on",
        list(names),
        default="cpu" if start.device == "cpu" else "auto",
        required=True,
        format_func=names.__getitem__,
        help="With the GPU, networks that are faster on the processor train there all the same; the result says which.",
        key=f"device_{key}",
    )
    return str(chosen)


def _networks(start: TrainPlan, key: str) -> tuple[str, ...]:
    chosen = session.chosen(f"networks_{key}", start.models)
    part = st.expander("Choose networks", icon=":material/network_node:", key=f"networks_{key}", on_change="rerun")
    if part.open:
        with part:
            chosen = _boxes(chosen, key)
            pretrained_form.show(key)
    session.keep_chosen(f"networks_{key}", start.models, chosen)
    return chosen


def _boxes(ticked: tuple[str, ...], key: str) -> tuple[str, ...]:
    """Show a box for each network; return those that are ticked."""
    chosen: list[str] = []
    for family in FAMILIES:
        if st.checkbox(family.title, family.key in ticked, key=f"network_{family.key}_{key}"):
            chosen.append(family.key)
        st.caption(f"{family.summary}  \n{family.paper} · {family.licence}")
    return tuple(chosen)
