"""The settings of the networks: a form that is made from the catalogue, and that nobody has to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

import streamlit as st

from dlreg_core.errors import PlanError
from dlreg_core.formatting import value_words
from dlreg_core.networks import Setting, family, settings_of
from pages._ui.shared import session
from pages._ui.shared.sidebar import escaped

Number = TypeVar("Number", int, float)

_WIDTH = 210
ChosenSettings = dict[str, dict[str, Any]]


def choose_settings(start: ChosenSettings, models: Sequence[str], key: str) -> ChosenSettings | None:
    """Let a person choose settings of the networks that are ticked; None while one of them can't be had.

    Parameters
    ----------
    start : dict
        What was chosen before, by family and name.
    models : sequence of str
        The ticked families.
    key : str
        Keeps the choices of this place apart from those of others.
    """
    chosen = session.chosen(f"settings_{key}", start)
    part = st.expander("Settings of the networks", icon=":material/tune:", key=f"settings_{key}", on_change="rerun")
    # Some hundred fields: they are there once somebody wants to see them.
    if part.open:
        with part:
            chosen = _forms(chosen, models, key)
    found, refused = _checked({model: chosen.get(model, {}) for model in models})
    session.keep_chosen(f"settings_{key}", start, found)
    if refused is not None:
        st.error(escaped(refused.message), icon=":material/error:")
        return None
    if found:
        st.caption(f":material/tune: Changed: {changed_words(found)}.")
    return found


def _forms(shown: ChosenSettings, models: Sequence[str], key: str) -> ChosenSettings:
    """Show the settings of the networks that are ticked; return those that differ from their defaults."""
    st.caption("None of these has to be chosen: what stands here is what does well on most tables.")
    found: ChosenSettings = {}
    for part, model in zip(st.tabs([family(model).title for model in models]), models, strict=True):
        with part:
            found[model] = _form(model, shown.get(model, {}), key)
            _way_back(model, key, changed=bool(found[model]))
    return found


def _checked(settings: ChosenSettings) -> tuple[ChosenSettings, PlanError | None]:
    """Return what differs from the defaults, and why the first of it that can't be had can't."""
    found: ChosenSettings = {}
    refused: PlanError | None = None
    for model, values in settings.items():
        try:
            chosen = family(model).checked(values)
        except PlanError as exc:
            refused = refused or exc
            chosen = values
        if chosen:
            found[model] = chosen
    return found, refused


def changed_words(settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what differs from the defaults: "TabM: Dropout 0.3, Epochs 20; FastAI: Batch size 64"."""
    titles = {key: {known.name: known.title for known in settings_of(key)} for key in settings}
    parts = []
    for key, chosen in settings.items():
        values = ", ".join(f"{titles[key][name]} {value_words(value)}" for name, value in chosen.items())
        parts.append(f"{family(key).title}: {values}")
    return "; ".join(parts)


def _form(model: str, shown: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Show a network's settings in groups; return those that differ from their defaults."""
    values: dict[str, Any] = {}
    place = f"{key}_{model}_{session.recall(_round(model, key), 0)}"
    for group, settings in groupby(settings_of(model), key=lambda known: known.group):
        st.markdown(f"**{group}**")
        with st.container(horizontal=True, gap="medium"):
            for known in settings:
                if family(model).counts(known, values):
                    value = _field(known, shown.get(known.name), f"setting_{known.name}_{place}")
                    if value is not None and value != known.default:
                        values[known.name] = value
    return values


def _way_back(model: str, key: str, *, changed: bool) -> None:
    def back() -> None:
        before: ChosenSettings = session.last_chosen(f"settings_{key}", {})
        others = {name: values for name, values in before.items() if name != model}
        # Whatever this place begins with next.
        session.keep_chosen(f"settings_{key}", None, others)
        # Fields under new names begin with what they are given.
        session.remember(_round(model, key), session.recall(_round(model, key), 0) + 1)

    st.button(
        f"Back to the defaults of {family(model).title}",
        type="tertiary",
        icon=":material/undo:",
        key=f"back_{key}_{model}",
        on_click=back,
        disabled=not changed,
    )


def _round(model: str, key: str) -> str:
    return f"settings_round_{key}_{model}"


def _field(known: Setting, chosen: Any, key: str) -> Any:
    """Show one setting; return its value, None where the program chooses."""
    value = known.default if chosen is None else chosen
    usual = value_words(known.default) if known.default is not None else known.automatic
    help_ = f"{known.help}  \n{'Default' if known.default is not None else 'Without a choice'}: {usual}."
    if known.kind == "bool" and known.default is not None:
        with st.container(width=_WIDTH, vertical_alignment="bottom", height="stretch"):
            return st.toggle(known.title, value, key=key, help=help_)
    if known.kind in ("choice", "bool"):
        choices = known.choices or (True, False)
        return st.selectbox(
            known.title,
            choices,
            choices.index(value) if value is not None else None,
            format_func=value_words,
            placeholder=known.automatic or None,
            key=key,
            help=help_,
            width=_WIDTH,
        )
    if known.kind == "widths":
        text = st.text_input(
            known.title,
            value_words(value) if value is not None else "",
            placeholder=known.automatic,
            key=key,
            help=f"{help_}  \nSuch as 256, 128.",
            width=_WIDTH,
        )
        return known.parsed(text) if text and text.strip() else None
    return _number(int if known.kind == "int" else float, known, value, help_, key)


def _number(read: type[Number], known: Setting, value: Any, help_: str, key: str) -> Number | None:
    whole = known.kind == "int"
    if known.default is None and value is not None:
        session.prefill(key, read(value))
    step = 1 if whole else (known.default or known.most) / 10 if known.logarithmic else 0.05
    return st.number_input(
        known.title,
        read(known.least),
        read(known.most),
        None if known.default is None else read(value),
        step=read(step),
        format="%d" if whole else "%g",
        placeholder=known.automatic or None,
        key=key,
        help=f"{help_}  \n{known.range_words[0].upper()}{known.range_words[1:]}.",
        width=_WIDTH,
    )
