"""The network families: what each is, what can be chosen about it, and how AutoGluon trains it.

No deep learning library is imported here, so that pages and the command line can describe the families at once:
``adapters``, ``epoch_watch``, ``nn_torch_start``, ``pretrained_adapters`` and ``feedforward`` load them.
"""

from dlreg_core.networks.catalogue_records import all_answers, pretrained_answer, trained_answer
from dlreg_core.networks.families import (
    BASELINES,
    BASIC,
    DEFAULT_FAMILIES,
    ENSEMBLE,
    FAMILIES,
    LARGE_TABLE,
    Family,
    Size,
    family,
    sample_settings,
)
from dlreg_core.networks.pretrained_families import (
    PRETRAINED,
    Pretrained,
    hyperparameters_for,
    is_pretrained,
    pretrained,
    title_of,
)
from dlreg_core.networks.setting_spec import Setting
from dlreg_core.networks.setting_values import (
    checked_settings,
    chosen_for_autogluon,
    counts,
    defaults,
    fixes_size,
    parsed_setting,
    setting,
    settings_of,
    to_autogluon,
    usual_settings,
)

__all__ = [
    "BASELINES",
    "BASIC",
    "DEFAULT_FAMILIES",
    "ENSEMBLE",
    "FAMILIES",
    "LARGE_TABLE",
    "PRETRAINED",
    "Family",
    "Pretrained",
    "Setting",
    "Size",
    "all_answers",
    "checked_settings",
    "chosen_for_autogluon",
    "counts",
    "defaults",
    "family",
    "fixes_size",
    "hyperparameters_for",
    "is_pretrained",
    "parsed_setting",
    "pretrained",
    "pretrained_answer",
    "sample_settings",
    "setting",
    "settings_of",
    "title_of",
    "to_autogluon",
    "trained_answer",
    "usual_settings",
]
