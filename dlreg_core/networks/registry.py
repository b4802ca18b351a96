"""The families that there are: those of this program, and those that installed packages add.

A package adds one by an entry point of the group ``dlreg.networks`` whose object is a `Family`. It is then offered,
trained and judged like the others, and a model file names the package among what it needs.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from dlreg_core.errors import PlanError
from dlreg_core.networks.fastai import FASTAI
from dlreg_core.networks.feedforward import FEEDFORWARD
from dlreg_core.networks.network_family import BaseFamily, Family
from dlreg_core.networks.nn_torch import NN_TORCH
from dlreg_core.networks.pretrained_families import PRETRAINED, Pretrained
from dlreg_core.networks.realmlp import REALMLP
from dlreg_core.networks.tabm import TABM
from dlreg_core.specs import TrainPlan

GROUP = "dlreg.networks"
"""Entry points by which packages add families."""

ENSEMBLE = "Ensemble"
BASELINES = {
    "MEAN": "Mean",
    "MEDIAN": "Median",
    "RIDGE": "Ridge regression",
    "TREE": "Decision tree",
    "BOOSTED": "Boosted trees",
}

_OWN: tuple[Family, ...] = (FEEDFORWARD, FASTAI, NN_TORCH, TABM, REALMLP)
"""From quick to demanding."""


def _added() -> tuple[Family, ...]:
    """Return the families of installed packages; one that can't be used is left out, and the log says why."""
    found: dict[str, Family] = {}
    taken = {known.key for known in (*_OWN, *PRETRAINED)} | BASELINES.keys()
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            loaded = _with_its_package(point)
        except Exception:
            logging.getLogger(__name__).exception("The network family %s could not be loaded.", point.name)
            continue
        if loaded.key in taken | found.keys():
            logging.getLogger(__name__).error("There is a network family called %s already.", loaded.key)
            continue
        found[loaded.key] = loaded
    return tuple(found.values())


def _with_its_package(point: EntryPoint) -> Family:
    loaded = point.load()
    if not isinstance(loaded, Family):
        raise TypeError(f"{point.value} is no Family")
    if loaded.key != loaded.key.strip().upper():
        raise ValueError(f"{loaded.key} isn't in capitals")
    package = (point.dist.name,) if point.dist is not None else ()
    return replace(loaded, requirements=(*loaded.requirements, *package))


FAMILIES: tuple[Family, ...] = (*_OWN, *_added())
"""The families that are trained here, in the order in which they are shown and get their turn."""

DEFAULT_FAMILIES: tuple[str, ...] = tuple(known.key for known in _OWN)
"""The families that are trained where nothing else is chosen."""

EXAMPLE = TABM.key
"""The family that messages take for their examples."""

_BY_KEY = {known.key: known for known in FAMILIES}
_PRETRAINED_BY_KEY = {known.key: known for known in PRETRAINED}


def default_plan(**chosen: Any) -> TrainPlan:
    """Return a plan with the families that are trained by default, and with what is chosen."""
    return TrainPlan(**{"models": DEFAULT_FAMILIES} | chosen)


def family(key: str) -> Family:
    """Return the family with that key that is trained here, in any case.

    Raises
    ------
    PlanError
        If there is none; the message names those that exist.
    """
    found = _BY_KEY.get(key.strip().upper())
    if found is None:
        raise PlanError(f"There is no network called {key}.", f"Choose from {', '.join(_BY_KEY)}.")
    return found


def is_pretrained(key: str) -> bool:
    """Tell whether a family is a pre-trained one."""
    return key.strip().upper() in _PRETRAINED_BY_KEY


def pretrained(key: str) -> Pretrained:
    """Return the pre-trained family with that key, in any case.

    Raises
    ------
    PlanError
        If there is none; the message names those that exist.
    """
    found = _PRETRAINED_BY_KEY.get(key.strip().upper())
    if found is None:
        raise PlanError(
            f"There is no pre-trained network called {key}.", f"Choose from {', '.join(_PRETRAINED_BY_KEY)}."
        )
    return found


def network(key: str) -> BaseFamily:
    """Return the family with that key, whether it is trained here or was before; see `family`."""
    return pretrained(key) if is_pretrained(key) else family(key)
