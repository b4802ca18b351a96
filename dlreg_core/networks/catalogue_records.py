"""The catalogue as plain values, for the HTTP API and for ``--json``."""

from __future__ import annotations

import math
from typing import Any

from dlreg_core.networks.network_family import Family
from dlreg_core.networks.pretrained_families import PRETRAINED, Pretrained
from dlreg_core.networks.registry import DEFAULT_FAMILIES, FAMILIES
from dlreg_core.networks.setting_spec import Setting
from dlreg_core.networks.setting_values import settings_of


def all_answers() -> list[dict[str, Any]]:
    """Return every network of the catalogue, in the order in which they are shown."""
    return [*map(trained_answer, FAMILIES), *map(pretrained_answer, PRETRAINED)]


def trained_answer(chosen: Family) -> dict[str, Any]:
    """Return a family that is trained here, with its settings."""
    return {
        "key": chosen.key,
        "title": chosen.title,
        "summary": chosen.summary,
        "paper": chosen.paper,
        "pretrained": False,
        "default": chosen.key in DEFAULT_FAMILIES,
        "code_licence": chosen.licence,
        "weights_licence": None,
        "commercial": True,
        "condition": "",
        "download_mb": 0.0,
        "source": chosen.downloads or None,
        "files": [],
        "needs_gpu": chosen.needs_gpu,
        "most_rows": chosen.most_rows,
        "most_rows_cpu": chosen.most_rows,
        "most_columns": chosen.most_columns,
        "quantiles": chosen.quantiles,
        "settings": [_setting_answer(known) for known in settings_of(chosen.key)],
    }


def pretrained_answer(known: Pretrained) -> dict[str, Any]:
    """Return a pre-trained family, with the same keys; it has no settings."""
    return {
        "key": known.key,
        "title": known.title,
        "summary": known.summary,
        "paper": known.paper,
        "pretrained": True,
        "default": not known.asks_consent,
        "code_licence": known.code_licence,
        "weights_licence": known.weights_licence,
        "commercial": known.commercial,
        "condition": known.condition,
        "download_mb": known.megabytes,
        "source": known.source,
        "files": list(known.files),
        "needs_gpu": False,
        "most_rows": known.most_rows,
        "most_rows_cpu": known.most_rows_cpu,
        "most_columns": known.most_columns,
        "quantiles": False,
        "settings": [],
    }


def _setting_answer(known: Setting) -> dict[str, Any]:
    """Return a setting; what it doesn't have, such as the range of a choice, is null."""
    needs = None
    if known.only_with is not None:
        other, values = known.only_with
        needs = {"setting": other, "values": list(values)}
    numeric = known.kind in ("int", "float", "widths")
    return {
        "name": known.name,
        "title": known.title,
        "help": known.help,
        "group": known.group,
        "kind": known.kind,
        "default": known.default,
        "automatic": known.automatic or None,
        "least": known.least if numeric else None,
        "most": known.most if numeric and math.isfinite(known.most) else None,
        "choices": list(known.choices) or None,
        "logarithmic": known.logarithmic,
        "only_with": needs,
    }
