"""Runs and model files of earlier versions are read by their classes' earlier names; so is what loads model files."""

from __future__ import annotations

import pickle

import pytest

from dlreg_core import bundle
from dlreg_core.model_file import load_bundle
from dlreg_core.networks.feedforward.inputs import Encoded
from dlreg_core.networks.feedforward.model import FeedForwardModel
from dlreg_core.networks.pretrained_families.mitra_model import KeptMitraModel
from dlreg_core.pipeline.earlier_names import know_earlier_names
from dlreg_core.training.baselines.simple_models import Baseline


@pytest.mark.parametrize(
    ("kind", "earlier"),
    [
        (FeedForwardModel, "dlreg_core.training.feedforward.model"),
        (Encoded, "dlreg_core.training.feedforward.inputs"),
        (KeptMitraModel, "dlreg_core.training.incontext"),
    ],
)
def test_what_was_pickled_under_an_earlier_name_is_found(kind: type, earlier: str) -> None:
    know_earlier_names()
    assert pickle.loads(f"c{earlier}\n{kind.__qualname__}\n.".encode()) is kind


def test_baselines_that_were_pickled_are_found() -> None:
    assert pickle.loads(b"cdlreg_core.training.baselines\nBaseline\n.") is Baseline


def test_model_files_are_loaded_by_the_earlier_name_too() -> None:
    assert bundle.load_bundle is load_bundle
