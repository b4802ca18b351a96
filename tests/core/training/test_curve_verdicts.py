"""The verdict on curves of trainings that are faulty on purpose: the cases of the benchmark, with one seed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from autogluon.common.utils.log_utils import set_logger_verbosity

from benchmarks.curves import CASES, Case, verdict_on
from dlreg_core.pipeline.quiet_libraries import silence_libraries

_SEED = 0
_QUICK = [case for case in CASES if case.right and case.rows <= 2000]


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> None:
    set_logger_verbosity(0)
    silence_libraries()


def test_every_kind_is_among_the_cases() -> None:
    kinds = {kind for case in _QUICK for kind in case.right}
    assert kinds == {"overfit", "underfit", "still_improving", "unstable", "good"}


@pytest.mark.soak
@pytest.mark.parametrize("case", _QUICK, ids=lambda case: case.name)
def test_the_fault_of_a_real_training_is_found(case: Case) -> None:
    assert verdict_on(case, _SEED).kind in case.right


@pytest.mark.soak
@pytest.mark.parametrize("case", [c for c in _QUICK if c.right == ("still_improving",)], ids=lambda case: case.name)
def test_batch_normalisation_does_not_hide_that_a_training_was_cut_short(case: Case) -> None:
    normalised = replace(case, settings={"batch_norm": True} | case.settings)
    assert verdict_on(normalised, _SEED).kind == "still_improving"
