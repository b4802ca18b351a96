"""Choosing settings: which there are, whether values can be had, and what AutoGluon is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlreg_core.errors import PlanError
from dlreg_core.networks.families import family
from dlreg_core.networks.family_settings import OFFERED
from dlreg_core.networks.setting_spec import Setting


def settings_of(key: str) -> tuple[Setting, ...]:
    """Return the settings of a family, in the order in which they are shown."""
    return OFFERED[family(key).key]


def defaults(key: str) -> dict[str, Any]:
    """Return the default of each setting of a family that has one."""
    return {found.name: found.default for found in settings_of(key) if found.default is not None}


def setting(key: str, name: str) -> Setting:
    """Return one setting of a family.

    Raises
    ------
    PlanError
        If the family has none of that name; the message names those that it has.
    """
    for found in settings_of(key):
        if found.name == name:
            return found
    names = ", ".join(found.name for found in settings_of(key))
    raise PlanError(f"{family(key).title} has no setting called {name}; choose from {names}.")


def checked_settings(key: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return chosen values in the form in which they are kept; those that are None are left out.

    Parameters
    ----------
    key : str
        The family.
    values : mapping of str to object
        Values by the names of `settings_of`.

    Raises
    ------
    PlanError
        If there is no such setting, it can't have that value, or it doesn't count beside the others.
    """
    title = family(key).title
    found = {name: setting(key, name).checked(value, title) for name, value in values.items() if value is not None}
    for name in found:
        condition = setting(key, name).only_with
        if condition is not None and not counts(setting(key, name), key, found):
            other, needed = condition
            raise PlanError(
                f"{setting(key, name).title} of {title} counts only where {other} is {' or '.join(needed)}."
            )
    return found


def counts(chosen: Setting, key: str, values: Mapping[str, Any]) -> bool:
    """Tell whether a setting has an effect beside others that were chosen."""
    if chosen.only_with is None:
        return True
    other, needed = chosen.only_with
    return values.get(other, setting(key, other).default) in needed


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
    wanted = setting(chosen.key, name.strip())
    return chosen.key, wanted.name, wanted.checked(wanted.parsed(value), chosen.title)


def to_autogluon(key: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return AutoGluon's settings for chosen values: plain values that can be kept as JSON.

    They are to be laid over those of `sample_settings`, and are handed to a model through
    `dlreg_core.networks.adapters.for_fit`.

    Raises
    ------
    PlanError
        See `checked_settings`.
    """
    found: dict[str, Any] = {}
    for name, value in checked_settings(key, values).items():
        found |= setting(key, name).in_autogluons_words(value)
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
        if name not in chosen and counts(setting(key, name), key, wanted | dict(chosen))
    }


def fixes_size(key: str, values: Mapping[str, Any]) -> bool:
    """Tell whether chosen values say how large the networks of a family are, so that the time doesn't decide that."""
    sized = {name for size in family(key).sizes for name in size.settings}
    return bool(sized & to_autogluon(key, values).keys())
