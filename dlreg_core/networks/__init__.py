"""The network families: what each is, what can be chosen about it, and how AutoGluon trains it.

Each is an object in a module of its own, and `registry` knows them all. No deep learning library is imported here, so
that pages and the command line can describe the families at once: their adapters do it when a network is trained or
read.
"""

from __future__ import annotations

from dlreg_core.networks.catalogue_records import all_answers, pretrained_answer, trained_answer
from dlreg_core.networks.network_family import BaseFamily, Family, Loss, Size
from dlreg_core.networks.pretrained_families import PRETRAINED, Pretrained
from dlreg_core.networks.registry import (
    BASELINES,
    DEFAULT_FAMILIES,
    ENSEMBLE,
    EXAMPLE,
    FAMILIES,
    default_plan,
    family,
    is_pretrained,
    network,
    pretrained,
)
from dlreg_core.networks.setting_spec import Setting, typed_number
from dlreg_core.networks.setting_values import (
    chosen_for_autogluon,
    fixes_size,
    parsed_setting,
    settings_of,
    to_autogluon,
    usual_settings,
)
from dlreg_core.networks.target_tails import heavy_on_both_sides

__all__ = [
    "BASELINES",
    "DEFAULT_FAMILIES",
    "ENSEMBLE",
    "EXAMPLE",
    "FAMILIES",
    "PRETRAINED",
    "BaseFamily",
    "Family",
    "Loss",
    "Pretrained",
    "Setting",
    "Size",
    "all_answers",
    "chosen_for_autogluon",
    "default_plan",
    "family",
    "fixes_size",
    "heavy_on_both_sides",
    "is_pretrained",
    "network",
    "parsed_setting",
    "pretrained",
    "pretrained_answer",
    "settings_of",
    "to_autogluon",
    "trained_answer",
    "typed_number",
    "usual_settings",
]
