"""What is open in this browser tab: the only place that touches the session's state and the address.

The address holds the open data set, run and model, so that reload, bookmark and share work. The session remembers them
too, because a click in the sidebar leaves the address bare.
"""

from __future__ import annotations

from typing import Any, TypeVar

import streamlit as st

T = TypeVar("T")

_OPEN = ("dataset", "run", "model")
_NO_RUN: dict[str, None] = {"run": None, "model": None}
_DRAFT = "draft"


def sync() -> None:
    """Bring address and session into line; the address wins. The router calls this before every page."""
    for name in _OPEN:
        if name in st.query_params:
            st.session_state[f"open_{name}"] = st.query_params[name]
    _write()


def dataset_id() -> str | None:
    """Return the open data set."""
    return _get("dataset")


def run_id() -> str | None:
    """Return the open run."""
    return _get("run")


def model() -> str | None:
    """Return the model that was chosen on one of the run's pages."""
    return _get("model")


def open_dataset(identifier: str | None) -> None:
    """Open a data set; its earlier run is closed."""
    other = identifier != dataset_id()
    _set(dataset=identifier, **(_NO_RUN if other else {}))


def open_run(identifier: str | None, dataset: str | None = None) -> None:
    """Open a run and its data set."""
    changed: dict[str, str | None] = {"run": identifier}
    if identifier != run_id():
        changed["model"] = None
    if dataset is not None:
        changed["dataset"] = dataset
    _set(**changed)


def choose_model(name: str | None) -> None:
    """Note which model the run's pages show."""
    _set(model=name)


def address() -> dict[str, str]:
    """Return what the address must hold so that this place is found again."""
    return {name: value for name in _OPEN if (value := _get(name))}


def draft(key: str, default: Any = None) -> Any:
    """Return what a person has chosen so far on the way to a run of the open data set."""
    return st.session_state.get(_DRAFT, {}).get((dataset_id(), key), default)


def keep(key: str, value: Any) -> None:
    """Remember a choice for the open data set, also when its widget isn't on the page."""
    st.session_state.setdefault(_DRAFT, {})[(dataset_id(), key)] = value


def forget_choices(identifier: str) -> None:
    """Forget what was chosen on the way to a run of a data set."""
    kept = st.session_state.get(_DRAFT, {})
    st.session_state[_DRAFT] = {place: value for place, value in kept.items() if place[0] != identifier}


def recall(key: str, default: Any = None) -> Any:
    """Return what `remember` kept in this session."""
    return st.session_state.get(f"kept_{key}", default)


def remember(key: str, value: Any) -> None:
    """Keep something for this session that belongs to no data set."""
    st.session_state[f"kept_{key}"] = value


def chosen(key: str, start: T) -> T:
    """Return what was chosen last in a folded part of a page, unless that part now begins with something else.

    Parameters
    ----------
    key : str
        Name of the part: its fields are not there while it is folded.
    start : Any
        What the part begins with now.
    """
    origin = recall(f"chosen_{key}", (start, start))[0]
    return last_chosen(key, start) if origin in (None, start) else start


def keep_chosen(key: str, start: T | None, last: T) -> None:
    """Keep what was chosen in a folded part of a page that begins with `start`; None: whatever it begins with next."""
    remember(f"chosen_{key}", (start, last))


def last_chosen(key: str, default: T) -> T:
    """Return what `keep_chosen` kept, whatever the part begins with now."""
    last: T = recall(f"chosen_{key}", (None, default))[1]
    return last


def take(key: str, default: Any = None) -> Any:
    """Return what `remember` kept in this session, and forget it."""
    return st.session_state.pop(f"kept_{key}", default)


def prefill(key: str, value: Any) -> None:
    """Give a field what it begins with, where it isn't on the page yet; unlike a default, it can be emptied."""
    if key not in st.session_state:
        st.session_state[key] = value


def _get(name: str) -> str | None:
    value = st.session_state.get(f"open_{name}")
    return str(value) if value else None


def _set(**values: str | None) -> None:
    for name, value in values.items():
        st.session_state[f"open_{name}"] = value
    _write()


def _write() -> None:
    """Let the address say what is open, in one update: each of several would be a step of the browser's way back."""
    before = st.query_params.to_dict()
    others = {name: value for name, value in before.items() if name not in _OPEN}
    after = {**address(), **others}
    if list(after.items()) != list(before.items()):
        st.query_params.from_dict(after)
