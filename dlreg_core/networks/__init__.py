"""The network families: what each is, what can be chosen about it, and how AutoGluon trains it.

Each is an object in a module of its own, and `registry` knows them all. No deep learning library is imported here, so
that pages and the command line can describe the families at once: their adapters do it when a network is trained or
read.
"""

from dlreg_core.networks.catalogue_records import all_answers, pretrained_answer, trained_answer
from dlreg_core.networks.network_family import BaseFamily, Family, Size
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
from dlreg_core.networks.setting_spec import Setting
from dlreg_core.networks.setting_values import (
    chosen_for_autogluon,
    fixes_size,
    parsed_setting,
    settings_of,
    to_autogluon,
    usual_settings,
)

__all__ = [
    "BASELINES",
    "DEFAULT_FAMILIES",
    "ENSEMBLE",
    "EXAMPLE",
    "FAMILIES",
    "PRETRAINED",
    "BaseFamily",
    "Family",
    "Pretrained",
    "Setting",
    "Size",
    "all_answers",
    "chosen_for_autogluon",
    "default_plan",
    "family",
    "fixes_size",
    "is_pretrained",
    "network",
    "parsed_setting",
    "pretrained",
    "pretrained_answer",
    "settings_of",
    "to_autogluon",
    "trained_answer",
    "usual_settings",
]
