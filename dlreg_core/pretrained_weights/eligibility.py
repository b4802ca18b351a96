"""Which pre-trained networks a run can use, and why not the others."""

from __future__ import annotations

from pathlib import Path

from dlreg_core.networks import PRETRAINED, Pretrained
from dlreg_core.pretrained_weights.weight_store import WeightState, open_weights
from dlreg_core.settings import load_settings
from dlreg_core.specs import Preset


def usable(preset: Preset, rows: int, columns: int, gpu: bool, home: Path) -> list[tuple[str, str]]:
    """Return every pre-trained family with why a run can't use it, empty where it can.

    Parameters
    ----------
    preset : {"fast", "balanced", "best"}
        Fast runs train on this table alone.
    rows, columns : int
        Training rows and features.
    gpu : bool
        Whether the run has a GPU.
    home : Path
        Where weights and consents are looked for, unless the settings name another folder of weights.

    Returns
    -------
    list of (str, str)
        Key and reason, in the order of the catalogue.
    """
    weights = open_weights(load_settings().model_copy(update={"home": home}))
    return [
        (known.key, reason_against(known, weights.state(known.key), preset, rows, columns, gpu=gpu))
        for known in PRETRAINED
    ]


def reason_against(known: Pretrained, state: WeightState, preset: Preset, rows: int, columns: int, *, gpu: bool) -> str:
    """Return why a run can't use a pre-trained family, empty where it can. See `usable`."""
    if preset == "fast":
        return "not used by Fast runs"
    most = known.most_rows if gpu else min(known.most_rows_cpu, known.most_rows or known.most_rows_cpu)
    if most is not None and rows > most:
        without = "" if gpu else " without a GPU"
        return f"takes up to {most:,} training rows{without}, there are {rows:,}"
    if known.most_columns is not None and columns > known.most_columns:
        return f"takes up to {known.most_columns:,} columns, there are {columns:,}"
    return "" if state.usable else state.words
