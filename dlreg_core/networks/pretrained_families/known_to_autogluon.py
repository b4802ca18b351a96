"""Making AutoGluon use a model class of this program for its key, so that its own predictor trains and keeps that."""

from __future__ import annotations

from typing import Any, TypeVar

from autogluon.tabular.registry import ag_model_registry

Kept = TypeVar("Kept", bound=type[Any])


def used_by_autogluon(kept: Kept) -> Kept:
    """Make AutoGluon use a class for its key; a second time changes nothing."""
    present = ag_model_registry.key_to_cls(kept.ag_key)
    if present is not kept:
        ag_model_registry.remove(present)
        ag_model_registry.add(kept)
    return kept
