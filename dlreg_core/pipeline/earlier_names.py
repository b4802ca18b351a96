"""Where classes stood whose objects earlier versions have pickled into run folders and model files."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

_FEEDFORWARD = ("", ".inputs", ".linear", ".loop", ".losses", ".model", ".network")
_PRETRAINED = ("mitra", "nori", "tabdpt", "tabicl")

_EARLIER_NAMES = {
    **{f"dlreg_core.training.feedforward{name}": (f"dlreg_core.networks.feedforward{name}",) for name in _FEEDFORWARD},
    "dlreg_core.training.incontext": tuple(
        f"dlreg_core.networks.pretrained_families.{name}_model" for name in _PRETRAINED
    ),
}
"""Modules by their earlier names, and where what was in them stands now."""


def know_earlier_names() -> None:
    """Let what was pickled find its classes by the names that their modules had then."""
    for earlier, now in _EARLIER_NAMES.items():
        if earlier not in sys.modules:
            known = ModuleType(earlier)
            for name in now:
                known.__dict__.update(vars(import_module(name)))
            sys.modules[earlier] = known
