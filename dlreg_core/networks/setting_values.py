"""Choosing settings: which there are, whether values can be had, and what AutoGluon is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlreg_core.errors import PlanError
from dlreg_core.networks.registry import family
from dlreg_core.networks.setting_spec import Setting


def settings_of(key: str) -> tuple[Setting, ...]:
    """Return the settings of a family, in the order in which they are shown."""
    return family(key).offered


def parsed_setting(text: str) -> tuple[str, str, Any]:
    """Return family, name and checked value of a text such as ``TABM.dropout=0.2``.

    Raises
    ------
    PlanError
        If it isn't of that form, or names no setting, or no value of it.
    """
    path, equals, value = text.partition("=")
    key, dot, name = path.partition(".")
    if not (equals and dot):
        raise PlanError(f"{text!r} is no setting; write FAMILY.name=value, such as TABM.dropout=0.2.")
    chosen = family(key)
    wanted = chosen.setting(name.strip())
    return chosen.key, wanted.name, wanted.checked(wanted.parsed(value), chosen.title)


def to_autogluon(key: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return AutoGluon's settings for chosen values: plain values that can be kept as JSON.

    They are to be laid over those of `Family.sample_settings`, and are handed to a model through
    `Family.model_settings`.

    Raises
    ------
    PlanError
        See `Family.checked`.
    """
    found: dict[str, Any] = {}
    chosen = family(key)
    for name, value in chosen.checked(values).items():
        found |= chosen.setting(name).in_autogluons_words(value)
    return found


def chosen_for_autogluon(key: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return AutoGluon's settings for chosen values, without the epochs, which are planned; see `to_autogluon`."""
    return to_autogluon(key, {name: value for name, value in values.items() if name != "epochs"})


def usual_settings(key: str, variant: int, chosen: Mapping[str, Any], *, heavy_tails: bool = False) -> dict[str, Any]:
    """Return what a network has instead of its family's defaults, as far as a person hasn't chosen it.

    Parameters
    ----------
    key : str
        The family.
    variant : int
        Counts the networks of the family from 0; the variants come in turn.
    chosen : mapping
        What a person chose, by name.
    heavy_tails : bool
        Whether the target has extreme values on both sides.
    """
    chosen_family = family(key)
    variants = chosen_family.variants
    wanted = (chosen_family.heavy_tails if heavy_tails else {}) | variants[variant % len(variants)]
    return {
        name: value
        for name, value in wanted.items()
        if name not in chosen and chosen_family.counts(chosen_family.setting(name), wanted | dict(chosen))
    }


def fixes_size(key: str, values: Mapping[str, Any]) -> bool:
    """Tell whether chosen values say how large the networks of a family are, so that the time doesn't decide that."""
    sized = {name for size in family(key).sizes for name in size.settings}
    return bool(sized & to_autogluon(key, values).keys())
