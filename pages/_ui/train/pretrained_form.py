"""Train: the pre-trained networks, how it stands with their weights, and what somebody has to agree to first."""

from __future__ import annotations

import streamlit as st

from dlreg_core.networks import PRETRAINED, Pretrained
from dlreg_core.pretrained_weights import Weights, WeightState, WeightStatus, open_weights
from pages._ui.shared import error_display, services

_LOOKS = {
    WeightStatus.ON_DISK: "green",
    WeightStatus.ABSENT: "green",
    WeightStatus.DAMAGED: "red",
    WeightStatus.NO_LICENCE: "orange",
}


def show(key: str) -> None:
    """Show the pre-trained networks and, where somebody has to agree to something, the buttons for it.

    Parameters
    ----------
    key : str
        Keeps the buttons of this place apart from those of others.
    """
    st.markdown("**Pre-trained networks**")
    st.caption(
        "Trained by their authors on many tables: they read your rows as context and learn nothing anew. "
        "Balanced and Best may use those that are ready; Fast doesn't."
    )
    with error_display.shown():
        weights = open_weights(services.settings())
        _downloads(weights, key)
        for known in PRETRAINED:
            _family(known, weights, weights.state(known.key), key)


def _downloads(weights: Weights, key: str) -> None:
    """Ask once whether weights may be fetched; afterwards say what was answered."""
    answer = weights.downloads
    if not weights.asks:
        word = "allowed" if answer == "yes" else "forbidden"
        st.caption(f"Downloads are {word} by the administrator. Weights are kept in `{weights.folder}`.")
    elif answer == "ask":
        st.caption(
            "Their weights come from huggingface.co, each once, when it is first trained; "
            "nothing of your data is sent. May this program fetch them?"
        )
        with st.container(horizontal=True, gap="small"):
            _answer(weights, key, "Allow downloads", "download", allowed=True)
            _answer(weights, key, "Don't allow", "block", allowed=False)
    elif answer == "yes":
        st.caption(f"Downloads are allowed. Weights are kept in `{weights.folder}`.")
        _answer(weights, key, "Don't allow any more", "block", allowed=False)
    else:
        st.caption(f"Downloads aren't allowed: only what is in `{weights.folder}` is used.")
        _answer(weights, key, "Allow downloads", "download", allowed=True)


def _answer(weights: Weights, key: str, label: str, icon: str, *, allowed: bool) -> None:
    def keep() -> None:
        weights.allow_downloads(services.owner(), allowed=allowed)

    st.button(label, type="tertiary", icon=f":material/{icon}:", key=f"downloads_{allowed}_{key}", on_click=keep)


def _family(known: Pretrained, weights: Weights, state: WeightState, key: str) -> None:
    st.markdown(f"**{known.title}** :{_LOOKS.get(state.status, 'gray')}-badge[{state.status.value}]")
    size = f"about {known.megabytes:.0f} MB" if known.megabytes is not None else "size not stated"
    use = "" if known.commercial else " · no commercial use"
    lines = [
        known.summary,
        f"{known.paper} · {known.weights_licence}{use} · {size} from `{known.source}`",
        *([known.condition] if known.condition else []),
    ]
    if state.status in (WeightStatus.NO_PACKAGE, WeightStatus.DAMAGED):
        lines.append(state.words[0].upper() + state.words[1:])
    acceptance = weights.accepted(known.key) if known.asks_consent else None
    if acceptance is not None:
        lines.append(f"Licence accepted by {acceptance.who} on {acceptance.when:%Y-%m-%d}")
    st.caption("  \n".join(lines))
    if state.status is WeightStatus.NO_LICENCE:
        _licence(known, weights, key)


def _licence(known: Pretrained, weights: Weights, key: str) -> None:
    def accept() -> None:
        weights.accept_licence(known.key, services.owner())

    st.caption(f"Read {known.weights_licence} at `{known.licence_place}` before you accept it.")
    st.button(
        f"Accept licence of {known.title}",
        type="tertiary",
        icon=":material/check:",
        key=f"licence_{known.key}_{key}",
        on_click=accept,
    )
