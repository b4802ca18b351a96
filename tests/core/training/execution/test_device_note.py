"""On what a run was trained, and why not on the GPU, in words."""

from __future__ import annotations

import pytest
import torch

from dlreg_core.specs import PlannedFit
from dlreg_core.training.execution import run_networks
from dlreg_core.training.execution.run_networks import device_note, used_note

CARD = "NVIDIA T4"


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(run_networks, "core_count", lambda: 16)
    monkeypatch.setattr(run_networks, "gpu_name", lambda: None)


def fit(family: str, where: str) -> PlannedFit:
    device, _, why = where.partition(" ")
    return PlannedFit(model=family, family=family, epochs=1, seed=0, threads=1, device=device, fell_back=why != "")


ON_CPU = "Ran on the CPU (16 cores)"


@pytest.mark.parametrize(
    ("fits", "note"),
    [
        ({"TABM": "gpu", "FASTAI": "gpu"}, "Ran on the GPU: NVIDIA T4."),
        (
            {"TABM": "cpu", "FASTAI": "cpu"},
            f"{ON_CPU}: on this table every network trained faster there than on the GPU NVIDIA T4.",
        ),
        (
            {"TABM": "gpu", "FASTAI": "cpu", "NN_TORCH": "cpu"},
            "Ran on the GPU NVIDIA T4 and, where it was faster, on the CPU: FastAI, NN Torch.",
        ),
        (
            {"TABM": "gpu", "TABICL": "cpu short"},
            "Ran on the GPU NVIDIA T4 and, where its memory did not suffice, on the CPU: TabICL.",
        ),
        ({"TABM": "cpu short"}, f"{ON_CPU}: the memory of the GPU NVIDIA T4 did not suffice for any network."),
        (
            {"TABM": "cpu short", "FASTAI": "cpu", "NN_TORCH": "gpu"},
            "Ran on the GPU NVIDIA T4 and, where it was faster or the GPU's memory did not suffice, on the CPU: "
            "TabM, FastAI.",
        ),
        (
            {"TABM": "cpu short", "FASTAI": "cpu"},
            f"{ON_CPU}: every network trained faster there than on the GPU NVIDIA T4, or its memory did not suffice.",
        ),
    ],
)
def test_the_note_of_a_run_says_on_what_its_networks_were_trained(fits: dict[str, str], note: str) -> None:
    assert used_note([fit(*one) for one in fits.items()], CARD) == note


def test_a_family_is_named_once() -> None:
    fits = [fit("TABM", "gpu"), fit("FASTAI", "cpu"), fit("FASTAI", "cpu")]
    assert used_note(fits, CARD).endswith("on the CPU: FastAI.")


def test_a_gpu_is_used_unless_a_person_chose_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_networks, "gpu_name", lambda: CARD)
    assert device_note("auto", [CARD]) == (True, "Trains on the GPU NVIDIA T4, where that is faster.")
    assert device_note("gpu") == (True, "Trains on the GPU NVIDIA T4.")
    assert device_note("cpu", [CARD]) == (False, f"{ON_CPU}, as chosen.")


def test_a_machine_without_a_gpu_says_so() -> None:
    assert device_note("auto") == (False, f"{ON_CPU}: this machine has no GPU that PyTorch can use.")


@pytest.mark.parametrize("none", ["", "-1"])
def test_an_administrator_who_allows_no_gpu_is_named(none: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", none)
    why = "may not be used, as CUDA_VISIBLE_DEVICES is set to none."
    assert device_note("auto", [CARD]) == (False, f"{ON_CPU}: this machine's GPU (NVIDIA T4) {why}")
    assert device_note("gpu", [CARD, CARD]) == (False, f"{ON_CPU}: this machine's 2 GPUs {why}")


@pytest.mark.parametrize(
    ("version", "cuda", "made"),
    [("2.13.0+cu130", "13.0", "is made for CUDA 13.0"), ("2.13.0+cpu", None, "is made for processors only")],
)
def test_a_driver_that_pytorch_cannot_use_is_named(
    version: str, cuda: str | None, made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr(torch, "__version__", version)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    why = f"PyTorch 2.13.0, which {made}, can't use this machine's GPU (NVIDIA T4) with its driver."
    assert device_note("auto", [CARD]) == (False, f"{ON_CPU}: {why}")
