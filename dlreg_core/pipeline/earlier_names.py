"""Where classes stood whose objects earlier versions have pickled into run folders and model files."""

from __future__ import annotations

import sys
from importlib import import_module

EARLIER_NAMES = {
    "dlreg_core.training.incontext": "dlreg_core.networks.pretrained_adapters",
    "dlreg_core.training.feedforward": "dlreg_core.networks.feedforward",
    **{
        f"dlreg_core.training.feedforward.{name}": f"dlreg_core.networks.feedforward.{name}"
        for name in ("inputs", "linear", "loop", "losses", "model", "network")
    },
}
"""Modules by their earlier names, and what they are called now."""


def know_earlier_names() -> None:
    """Let what was pickled find its classes by the names that their modules had then."""
    for earlier, now in EARLIER_NAMES.items():
        if earlier not in sys.modules:
            sys.modules[earlier] = import_module(now)
