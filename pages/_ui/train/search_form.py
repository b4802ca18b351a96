"""A search for settings, as part of a plan: folded away, and off unless somebody wants it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dlreg_core.errors import PlanError
from dlreg_core.formatting import value_words
from dlreg_core.networks import Setting, family, settings_of
from dlreg_core.search import METHODS, MOST_TRIALS, USUAL_TRIALS, checked_search
from dlreg_core.specs import NumberRange, Search, SearchMethod, SearchRange
from pages._ui.shared import session
from pages._ui.shared.sidebar import escaped
from pages._ui.train import range_fields

_WIDTH = 210
_OFF = "off"
_METHODS = {_OFF: "Off", "random": "Random", "grid": "Grid", "bayes": "Bayesian"}
_METHOD_HELP = (
    "**Random** draws each value anew, **Grid** tries all combinations of a few values, and **Bayesian** draws more "
    "often where earlier trials did well. With many settings or few trials, Random and Bayesian find more than a grid."
)
_FIRST = ("learning_rate", "dropout")
Fixed = Mapping[str, Mapping[str, Any]]


def choose_search(start: Search | None, models: Sequence[str], fixed: Fixed, seed: int, key: str) -> Search | None:
    """Let a person choose what is searched; None where nothing is.

    Parameters
    ----------
    start : Search, optional
        What was chosen before.
    models : sequence of str
        The ticked families.
    fixed : mapping of str to mapping
        Settings that were chosen, by family and name: they aren't searched.
    seed : int
        Seed of the draws.
    key : str
        Keeps the choices of this place apart from those of others.

    Raises
    ------
    PlanError
        If the search can't be carried out as it stands; it is already shown.
    """
    before = start.method if start is not None else _OFF
    method = session.chosen(f"search_{key}", before)
    part = st.expander("Search for settings", icon=":material/travel_explore:", key=f"search_{key}", on_change="rerun")
    # Folded and off, it has no fields; a search that is on is made of them.
    if part.open or method != _OFF:
        with part:
            method = _method(method, key)
    session.keep_chosen(f"search_{key}", before, method)
    if method == _OFF:
        return None
    with part:
        try:
            search = _form(METHODS[method], start, models, fixed, seed, key)
        except PlanError as exc:
            st.error(escaped(str(exc)), icon=":material/error:")
            raise
    st.caption(f":material/travel_explore: {search_words(search)}")
    return search


def _method(method: str, key: str) -> str:
    chosen = st.segmented_control(
        "Search",
        list(_METHODS),
        default=method,
        required=True,
        format_func=_METHODS.__getitem__,
        key=f"search_method_{key}",
        help=_METHOD_HELP,
    )
    if chosen == _OFF:
        st.caption("Train one network again and again with other settings, and see which of them matter.")
    return str(chosen)


def search_words(search: Search) -> str:
    """Return what is searched: "Bayesian search: up to 20 trainings of TabM over Dropout (0 to 0.5).".

    Listed values are parted by semicolons, since one of them may hold commas.
    """
    titles = {known.name: known.title for known in settings_of(search.family)}
    parts = [f"{titles[name]} ({_range_words(range_)})" for name, range_ in search.ranges.items()]
    count = "1 training" if search.trials == 1 else f"{search.trials} trainings"
    what = f"up to {count} of {family(search.family).title} over {', '.join(parts)}"
    return f"{_METHODS[search.method]} search: {what}."


def _range_words(range_: SearchRange) -> str:
    if isinstance(range_, NumberRange):
        return f"{value_words(range_.low)} to {value_words(range_.high)}"
    return "; ".join(value_words(value) for value in range_)


def _form(
    method: SearchMethod, start: Search | None, models: Sequence[str], fixed: Fixed, seed: int, key: str
) -> Search:
    first = start.family if start is not None and start.family in models else models[0]
    with st.container(horizontal=True, gap="medium"):
        model = st.selectbox(
            "Network", models, models.index(first), format_func=_title, key=f"search_model_{key}", width=_WIDTH
        )
        place = st.container(width=_WIDTH)
    chosen = fixed.get(model, {})
    known = {found.name: found for found in settings_of(model) if found.name not in chosen}
    before = start.ranges if start is not None and start.family == model else {}
    names = _names(model, known, before, key)
    if chosen:
        st.caption(f"What was changed in the settings holds in every trial: {', '.join(_titles(model, chosen))}.")
    if not names:
        raise PlanError("Nothing is searched yet.", "Choose a setting, or turn the search off.")
    grid = method == "grid"
    trials = MOST_TRIALS
    if not grid:
        usual = start.trials if start is not None and start.method != "grid" else USUAL_TRIALS
        trials = place.number_input("Trials at most", 1, MOST_TRIALS, usual, key=f"search_trials_{key}")
    ranges = range_fields.choose_ranges([known[name] for name in names], before, model, key, grid=grid)
    search = Search(method=method, family=model, ranges=ranges, trials=trials, seed=seed)
    checked = checked_search(search, chosen)
    if grid:
        place.metric("Combinations", checked.trials)
    return checked


def _names(model: str, known: Mapping[str, Setting], before: Mapping[str, SearchRange], key: str) -> list[str]:
    wanted = [name for name in before if name in known] or [name for name in _FIRST if name in known]
    return st.multiselect(
        "Settings to search",
        list(known),
        wanted,
        format_func=lambda name: known[name].title,
        key=f"search_names_{model}_{key}",
    )


def _title(model: str) -> str:
    return family(model).title


def _titles(model: str, names: Mapping[str, Any]) -> list[str]:
    return [known.title for known in settings_of(model) if known.name in names]
