"""How fast families train, and where: from what pilots and whole trainings show."""

from __future__ import annotations

import pytest

from dlreg_core.specs import FamilySpeed, PlannedFit
from dlreg_core.training.scheduler.fit_jobs import FoldOutcome, PilotJob, PilotOutcome
from dlreg_core.training.scheduler.measured_speeds import GPU_IN_DOUBT_ROWS, Speeds


def pilot(key: str, *, gpu: bool) -> PilotJob:
    return PilotJob(key, {}, 4, 1, gpu, 5.0)


def test_large_tables_are_not_measured_on_the_processor() -> None:
    for count, wanted in ((GPU_IN_DOUBT_ROWS - 1, True), (GPU_IN_DOUBT_ROWS, False)):
        speeds = Speeds(count, gpu=True, choose=True).heard(pilot("TABM", gpu=True), PilotOutcome(0.0, 1.0))
        assert speeds.wants_other_device(pilot("TABM", gpu=True)) is wanted
        speeds = speeds.heard(pilot("TABM", gpu=False), PilotOutcome(0.0, 2.0))
        assert not speeds.wants_other_device(pilot("TABM", gpu=False))


def test_the_device_of_earlier_measurements_is_kept() -> None:
    speeds = Speeds(1_000, gpu=True, choose=True)
    assert speeds.on_gpu("TABM")
    for key in ("TABM", "FASTAI"):
        before, speeds = speeds, speeds.heard(pilot(key, gpu=True), PilotOutcome(0.0, 1.0))
        assert speeds.change_note(before, key) == ""
    before, speeds = speeds, speeds.heard(pilot("FASTAI", gpu=False), PilotOutcome(0.0, 0.5))
    assert speeds.change_note(before, "FASTAI").endswith("it is about 2.0 times as fast there.")
    assert speeds.change_note(speeds, "FASTAI") == "", "it is said once"
    kept = speeds.kept(2)
    assert kept["FASTAI"] == FamilySpeed(fixed=0.0, epoch=0.5, threads=2, gpu=False)
    later = Speeds(1_000, gpu=True, choose=True).known(kept)
    assert (later.on_gpu("TABM"), later.on_gpu("FASTAI")) == (True, False)
    # On a machine without a GPU all train on the processor, and so do measurements of which it isn't known.
    without = Speeds(1_000, gpu=False, choose=True).known(kept)
    assert not without.on_gpu("TABM")
    assert without["TABM"].epoch == 1.0
    old = Speeds(1_000, gpu=True, choose=True).known({"TABM": FamilySpeed(fixed=0.0, epoch=1.0)})
    assert old.on_gpu("TABM")


@pytest.mark.parametrize("measured", [True, False])
def test_a_gpu_whose_memory_does_not_suffice_is_not_asked_again(measured: bool) -> None:
    none = Speeds(1_000, gpu=True, choose=True, processes=4)
    speeds = none.heard(pilot("TABM", gpu=True), PilotOutcome(0.0, 1.0, fell_back=True))
    assert speeds.change_note(none, "TABM") == ""
    assert not speeds.on_gpu("TABM")
    # It was the processor that was measured, which isn't shared like a GPU, and needs no second look.
    assert speeds["TABM"].epoch == 1.0
    assert not speeds.wants_other_device(pilot("TABM", gpu=True))
    # One that had memory for the pilot, or none, may still have too little for a whole network.
    if measured:
        speeds = speeds.heard(pilot("REALMLP", gpu=True), PilotOutcome(0.0, 1.0))
        assert speeds["REALMLP"].epoch == 2.5, "three others will share the GPU"
    fit = PlannedFit(model="RealMLP", family="REALMLP", settings={}, epochs=5, seed=0, threads=1, device="gpu")
    before, speeds = speeds, speeds.learned(fit, 0, {0: FoldOutcome(5, False, 30.0, 6.0, fell_back=True)})
    assert speeds.change_note(before, "REALMLP") == ""
    assert not speeds.on_gpu("REALMLP")
    assert speeds["REALMLP"].epoch == 6.0


def test_rows_that_were_drawn_and_larger_sizes_tell_of_the_smallest_network_on_all_rows() -> None:
    fit = PlannedFit(model="TabM", family="TABM", epochs=4, seed=0, rows=250, threads=1, device="cpu")
    from dlreg_core.networks import family

    cost = family("TABM").sizes[1].cost
    found = Speeds(1_000).learned(fit, 1, {0: FoldOutcome(4, False, 11.0, 2.0), 1: FoldOutcome(4, False, 13.0, 2.0)})
    # Of 11 and 13 s, 8 are epochs; a quarter of the rows.
    assert found["TABM"].fixed == pytest.approx(4 * 4.0)
    assert found["TABM"].epoch == pytest.approx(4 * 2.0 / cost)
