"""What is expected of a run, from numbers alone."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlreg_core.networks import FAMILIES, default_plan, family
from dlreg_core.runs.expectations import MeasuredSpeeds, Outlook, recent_speeds
from dlreg_core.specs import FamilySpeed, Preset, Split, TrainPlan
from dlreg_core.training.planning.cost_model import (
    TableFacts,
    baselines_mb,
    disk_mb,
    expected_speed,
    most_baseline_rows,
    startup_seconds,
    training_mb,
    worker_mb,
)
from dlreg_core.training.planning.forecast import (
    FreeResources,
    KnownSpeeds,
    first_round,
    foresee,
    kept_seconds,
    known_speeds,
)
from dlreg_core.training.scheduler.fit_speed import Speed

KEYS = tuple(chosen.key for chosen in FAMILIES)
ESTIMATES = {
    "FEEDFORWARD": (90.0, 95.0, 110.0),
    "FASTAI": (11.0,),
    "NN_TORCH": (5.0,),
    "TABM": (1670.0, 1801.0, 2250.0),
    "REALMLP": (2214.0,),
}
HOUSING = TableFacts(
    rows=14_448,
    validation_rows=3_096,
    test_rows=3_096,
    features=10,
    encoded=14,
    networks_mb=1.2,
    cleaned_mb=1.4,
    raw_mb=3.0,
    estimates_mb=ESTIMATES,
)
PLENTY = FreeResources(memory_mb=21_000, disk_mb=70_000)


def facts(**changes: object) -> TableFacts:
    return TableFacts(**{**HOUSING.__dict__, **changes})


def as_wanted(preset: Preset) -> TrainPlan:
    return TrainPlan(models=KEYS, time_limit=60, preset=preset)


def numbers_in(text: str) -> list[str]:
    return re.findall(r"\d[\d.,]*(?: (?:GB|MB|kB|s|min|h))", text)


# --- what is expected of a table --------------------------------------------------------------------------------------


def test_an_epoch_is_steps_rows_and_values() -> None:
    # 14,448 rows in batches of 256 are 57 steps.
    found = expected_speed("TABM", 14_448, 10)
    assert found.epoch == pytest.approx(57 * 3.3e-3 + 14_448 * (2.6e-5 + 10 * 6.1e-6))
    assert found.fixed == pytest.approx(0.4 + 14_448 * 10 * 4e-6)
    slow = expected_speed("TABM", 14_448, 10, factor=3.0)
    assert (slow.fixed, slow.epoch) == pytest.approx((3 * found.fixed, 3 * found.epoch))


@pytest.mark.parametrize(
    ("key", "rows", "features", "seconds"),
    [
        ("FASTAI", 14_448, 10, 0.73),
        ("FASTAI", 300_000, 12, 6.4),
        ("NN_TORCH", 2_000, 10, 0.19),
        ("NN_TORCH", 100_000, 20, 3.7),
        ("TABM", 14_448, 100, 10.8),
        ("TABM", 5_000, 300, 9.7),
        ("REALMLP", 50_000, 10, 3.0),
        ("REALMLP", 300_000, 12, 15.7),
    ],
)
def test_epochs_take_about_what_was_measured(key: str, rows: int, features: int, seconds: float) -> None:
    assert expected_speed(key, rows, features).epoch == pytest.approx(seconds, rel=0.25)


@pytest.mark.parametrize("key", KEYS)
def test_a_gpu_saves_computing_but_no_steps(key: str) -> None:
    processor, gpu = expected_speed(key, 100_000, 50), expected_speed(key, 100_000, 50, gpu=True)
    steps = -(-100_000 // family(key).batch_size(100_000))
    assert steps * 1e-3 < gpu.epoch < processor.epoch


@pytest.mark.parametrize(
    ("key", "processes", "peak"),
    [("FEEDFORWARD", 1, 1644), ("FASTAI", 2, 1605), ("NN_TORCH", 1, 1538), ("TABM", 2, 1636), ("REALMLP", 2, 1686)],
)
def test_memory_is_about_what_a_worker_was_seen_to_hold(key: str, processes: int, peak: float) -> None:
    # Measured on this table: a worker and its processes, each with its part of what they share. The second one was
    # busy for a part of the time only; too much is less bad than too little.
    assert 0.9 * peak < training_mb(HOUSING, key, gpu=False, processes=processes) < 1.35 * peak


def test_memory_by_hand() -> None:
    table = facts(rows=100_000, validation_rows=50_000, networks_mb=40.0, cleaned_mb=70.0, raw_mb=100.0)
    worker = 760 + 40 + 2 * 100 + 70 + 2 * 40 * 1.5
    assert worker_mb(table, gpu=False) == pytest.approx(worker)
    assert worker_mb(table, gpu=True) == pytest.approx(worker + 500)
    # The server of the processes, and each process with the rows.
    process = 60 + 40 * 1.5
    realmlp, tabm = process + 300 + (2214 - 2200) + 500, process + 190 + 0.7 * (2250 - 1600) + 90
    assert training_mb(table, "REALMLP", gpu=False) == pytest.approx(worker + 525 + realmlp)
    assert training_mb(table, "TABM", 2, gpu=False, processes=3) == pytest.approx(worker + 525 + 3 * tabm)
    # An estimate below the process that it contains adds nothing.
    low = facts(estimates_mb={**ESTIMATES, "REALMLP": (1000.0,)}, rows=1, networks_mb=0.0, validation_rows=0)
    assert training_mb(low, "REALMLP", gpu=False) == pytest.approx(worker_mb(low, gpu=False) + 885, abs=0.1)


def test_baselines_hold_every_level_of_every_category() -> None:
    many = facts(rows=300_000, encoded=5_000, raw_mb=0.0, cleaned_mb=0.0)
    assert baselines_mb(many) == pytest.approx(760 + 4.2 * 300_000 * 5_000 * 8 / 1e6)
    # A short run fits them on a part of the rows.
    assert baselines_mb(many, 120) == pytest.approx(760 + 4.2 * 120_000 * 5_000 * 8 / 1e6)
    assert baselines_mb(many, 5) == pytest.approx(760 + 4.2 * 20_000 * 5_000 * 8 / 1e6)
    assert baselines_mb(HOUSING) < training_mb(HOUSING, "REALMLP", gpu=False)


def test_boosted_trees_need_memory_for_every_value() -> None:
    few = facts(rows=300_000, features=14, encoded=18, categories=4, raw_mb=0.0, cleaned_mb=0.0)
    assert baselines_mb(few) == pytest.approx(760 + 40 + 300_000 * (14 * 25 + 4 * 100) / 1e6)


def test_boosted_trees_take_a_tenth_of_the_time_at_most() -> None:
    def boosted(table: TableFacts, time_limit: float) -> float:
        rows = min(table.rows, most_baseline_rows(time_limit))
        encoded = rows * table.encoded
        trees = (6 * min(rows, 30_000) + rows) * table.encoded * 8e-7
        others = trees + encoded * (3e-7 + table.encoded * 1e-9)
        everything = table.rows + table.validation_rows + table.test_rows
        # Half of what the baselines take is lost to the networks.
        return 2 * (startup_seconds(table, time_limit) - 1.5 - everything * 1.5e-5) - others

    # A thousand trees on 14,448 rows of 10 columns, one of them a category, took 4 to 9 s on one thread.
    table = facts(categories=1)
    assert boosted(table, 1_000) == pytest.approx(
        144_480 * 1.7e-7 + 1000 * (5e-4 + 10 * 2e-4 + 14_448 * 4e-8 + 144_480 * 4e-9 + 14_448 * 6.5e-8)
    )
    assert 4 < boosted(table, 1_000) < 9
    assert boosted(table, 20) == pytest.approx(2)
    assert boosted(facts(rows=300_000, features=300, encoded=300), 3_600) == pytest.approx(360)


def test_starting_takes_longer_with_more_columns() -> None:
    assert 1.5 < startup_seconds(HOUSING) < 6
    assert startup_seconds(facts(encoded=1_400), 30) > 5 * startup_seconds(HOUSING, 30)


def test_a_short_run_starts_sooner() -> None:
    many = facts(rows=300_000, encoded=100)
    assert startup_seconds(many, 30) < startup_seconds(many, 120) < startup_seconds(many)
    assert startup_seconds(HOUSING, 60) == startup_seconds(HOUSING)
    assert most_baseline_rows(120) == 120_000


def test_disk_grows_with_rows_networks_and_their_size() -> None:
    one = disk_mb(HOUSING, {"FASTAI": 0}, 0)
    # The rows that AutoGluon keeps, one network, and the predictions of it, of the ensemble and of the baselines.
    rows = 1.2 * (1 + 3_096 / 14_448) + 8e-6 * (14_448 + 3_096)
    network = 0.2 + 10 * 0.001 + 8e-6 * 3_096
    assert one == pytest.approx(3 + rows + network + 8e-6 * 6_192 * 9)
    assert disk_mb(HOUSING, {"FASTAI": 0}, 4) == pytest.approx(one + 4 * (network + 8e-6 * 6_192))
    assert disk_mb(HOUSING, {"TABM": 2}, 0) > disk_mb(HOUSING, {"TABM": 0}, 0) + 0.5
    assert disk_mb(HOUSING, {}, 0) < one


# --- what earlier runs measured ---------------------------------------------------------------------------------------


def measured(
    rows: int = 14_448,
    features: int = 10,
    device: str = "cpu",
    *,
    each: dict[str, float] | None = None,
    **times: float,
) -> MeasuredSpeeds:
    """Return speeds that are `times` of what is expected."""
    families = {}
    for key, factor in (times | (each or {})).items():
        expected = expected_speed(key, rows, features, gpu=device == "gpu", factor=factor)
        families[key] = FamilySpeed(fixed=expected.fixed, epoch=expected.epoch)
    return MeasuredSpeeds.model_validate(
        {
            "rows": rows,
            "features": features,
            "device": device,
            "families": {k: v.model_dump() for k, v in families.items()},
        }
    )


def test_without_measurements_the_factor_is_one() -> None:
    assert KnownSpeeds().factor("TABM", 1000, 5, gpu=False) == 1.0


def test_the_factor_is_the_median_of_a_family() -> None:
    known = KnownSpeeds(tuple(measured(TABM=factor, FASTAI=0.5) for factor in (2.0, 9.0, 4.0)))
    assert known.factor("TABM", 14_448, 10, gpu=False) == pytest.approx(4.0)
    assert known.factor("FASTAI", 14_448, 10, gpu=False) == pytest.approx(0.5)
    # Of a family that was never trained, the others tell how slow the machine is: 2, 9, 4, and 0.5 three times.
    assert known.factor("REALMLP", 14_448, 10, gpu=False) == pytest.approx(1.25)


def test_the_nearest_tables_count() -> None:
    near, far = [measured(TABM=2.0)] * 5, [measured(rows=300, TABM=8.0)] * 15
    known = KnownSpeeds((*far, *near))
    assert known.factor("TABM", 12_000, 12, gpu=False) == pytest.approx(2.0)
    assert known.factor("TABM", 250, 12, gpu=False) == pytest.approx(8.0)


def test_the_same_device_is_preferred() -> None:
    known = KnownSpeeds((measured(device="gpu", TABM=3.0), measured(TABM=0.5)))
    assert known.factor("TABM", 14_448, 10, gpu=True) == pytest.approx(3.0)
    assert known.factor("TABM", 14_448, 10, gpu=False) == pytest.approx(0.5)
    assert KnownSpeeds(known.records[:1]).factor("TABM", 14_448, 10, gpu=False) == pytest.approx(3.0)


def test_what_else_the_machine_did_is_no_slowness_of_its_own() -> None:
    crowded = measured(TABM=14.0).model_copy(update={"crowding": 7.0})
    assert KnownSpeeds((crowded,)).factor("TABM", 14_448, 10, gpu=False) == pytest.approx(2.0)


def test_a_factor_stays_within_reason() -> None:
    assert KnownSpeeds((measured(TABM=1e6),)).factor("TABM", 14_448, 10, gpu=False) == 20.0
    assert KnownSpeeds((measured(TABM=1e-6),)).factor("TABM", 14_448, 10, gpu=False) == pytest.approx(1 / 20, rel=0.1)


def write_speeds(home: Path, run: str, text: str | bytes, age: float = 0.0) -> None:
    path = home / "runs" / run / "tasks" / "1" / "speeds.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(path, (1_700_000_000 - age, 1_700_000_000 - age))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        b"\xff\xfe\x00",
        '{"rows": 10}',
        '{"rows": 0, "features": 1, "device": "cpu", "families": {}}',
        '{"rows": 10, "features": 1, "device": "tpu", "families": {}}',
        '{"rows": 10, "features": 1, "device": "cpu", "families": {"TABM": {"fixed": 1, "epoch": 0}}}',
        '{"rows": 10, "features": 1, "device": "cpu", "families": {"TABM": {"fixed": -1, "epoch": 1}}}',
        '{"rows": 10, "features": 1, "device": "cpu", "families": {"TABM": {"fixed": 1, "epoch": NaN}}}',
        '{"rows": 10, "features": 1, "device": "cpu", "families": {"TABM": {"fixed": Infinity, "epoch": 1}}}',
        '{"rows": 10, "features": 1, "device": "cpu", "families": {"TABM": 3}}',
        '{"rows": 10, "features": 1, "device": "cpu", "families": {}, "crowding": 0.5}',
    ],
)
def test_damaged_files_are_left_out(tmp_path: Path, text: str | bytes) -> None:
    write_speeds(tmp_path, "bad", text)
    write_speeds(tmp_path, "good", measured(TABM=2.0).model_dump_json(), age=50)
    (tmp_path / "runs" / "odd" / "tasks" / "1" / "speeds.json").mkdir(parents=True)
    assert known_speeds(tmp_path) == KnownSpeeds((measured(TABM=2.0),))


def test_unknown_families_and_fields_do_no_harm(tmp_path: Path) -> None:
    record = json.loads(measured(TABM=2.0).model_dump_json())
    record["families"]["OTHER"] = {"fixed": 1.0, "epoch": 5.0}
    write_speeds(tmp_path, "later", json.dumps(record | {"threads": 4}))
    known = known_speeds(tmp_path)
    assert known.factor("TABM", 14_448, 10, gpu=False) == pytest.approx(2.0)
    assert known.factor("FASTAI", 14_448, 10, gpu=False) == pytest.approx(2.0)


def test_the_newest_twenty_are_read(tmp_path: Path) -> None:
    assert known_speeds(tmp_path / "nothing") == KnownSpeeds()
    for age in range(25):
        write_speeds(tmp_path, f"run{age}", measured(rows=100 + age, TABM=1.0).model_dump_json(), age=age)
    assert [record.rows for record in recent_speeds(tmp_path)] == [100 + age for age in range(20)]


# --- what fits --------------------------------------------------------------------------------------------------------


def test_with_room_for_all_everything_fits() -> None:
    found = foresee(default_plan(time_limit=300), HOUSING, PLENTY)
    assert (found.refusal, found.hint, found.lacks) == ("", "", "")
    assert [model.family for model in found.models] == list(KEYS)
    assert all(model.fits and model.epochs >= family(model.family).fewest(14_448) for model in found.models)
    assert [model.largest_size for model in found.models] == [len(chosen.sizes) - 1 for chosen in FAMILIES]
    assert found.memory_mb >= max(training_mb(HOUSING, key, gpu=False) for key in KEYS)
    assert (found.memory_free_mb, found.disk_free_mb, found.rows, found.features) == (21_000, 70_000, 14_448, 10)
    assert found.seconds_startup == startup_seconds(HOUSING, 300)
    assert Outlook.model_validate_json(found.model_dump_json()) == found


def test_a_family_without_its_memory_is_skipped_with_both_numbers() -> None:
    large = facts(estimates_mb={**ESTIMATES, "REALMLP": (6000.0,)})
    found = foresee(default_plan(time_limit=300), large, FreeResources(memory_mb=3_100, disk_mb=70_000))
    skipped = found.model("REALMLP")
    # 760 for the worker, 40 for CatBoost, 10 for its rows, 525 for the processes' server, 61 for the process, 300 for
    # libraries, 3,800 estimated, 72 for the rows' own cost.
    assert skipped.reason == "needs about 5.6 GB of memory, 3.1 GB are free"
    assert (skipped.fits, skipped.lacks, skipped.largest_size, skipped.epochs) == (False, "memory", -1, 0)
    assert all(model.fits for model in found.models if model.family != "REALMLP")
    assert found.refusal == ""
    assert found.memory_mb <= 3_100
    with pytest.raises(KeyError):
        found.model("XGBOOST")


def test_sizes_are_told_by_their_memory() -> None:
    sizes = [training_mb(HOUSING, "TABM", index, gpu=False) for index in range(3)]
    for index, mb in enumerate(sizes):
        found = foresee(
            TrainPlan(models=("TABM",), time_limit=3600), HOUSING, FreeResources(memory_mb=mb + 0.1, disk_mb=1e5)
        )
        assert found.model("TABM").largest_size == index
        assert found.memory_mb <= mb + 0.1


def test_no_family_fits() -> None:
    found = foresee(default_plan(), HOUSING, FreeResources(memory_mb=850, disk_mb=70_000))
    assert found.lacks == "memory"
    assert found.refusal == (
        "No chosen network fits into the memory: FastAI needs the least, about 1.5 GB, and 850 MB are free."
    )
    assert found.hint
    assert not any(model.fits for model in found.models)


def test_two_numbers_never_read_the_same() -> None:
    needed = training_mb(HOUSING, "FASTAI", gpu=False)
    found = foresee(TrainPlan(models=("FASTAI",)), HOUSING, FreeResources(memory_mb=needed - 0.3, disk_mb=70_000))
    assert numbers_in(found.refusal) == ["1,493 MB", "1,491 MB"]
    assert found.model("FASTAI").reason == "needs about 1,493 MB of memory, 1,491 MB are free"


def test_baselines_that_fill_the_memory_are_a_reason_too() -> None:
    found = foresee(default_plan(time_limit=300), facts(rows=300_000, encoded=5_000), PLENTY)
    assert numbers_in(found.refusal) == ["51 GB", "21 GB"]
    assert "categories" in found.hint


def test_a_full_disk_is_told_with_both_numbers() -> None:
    found = foresee(default_plan(), facts(networks_mb=4_000.0), FreeResources(memory_mb=21_000, disk_mb=300))
    assert found.lacks == "disk"
    assert numbers_in(found.refusal) == ["4.9 GB", "300 MB"]
    assert "Delete runs" in found.hint


def test_what_the_time_will_not_hold_is_foretold() -> None:
    found = foresee(default_plan(time_limit=40), HOUSING, PLENTY)
    assert found.refusal == ""
    assert found.model("FASTAI").fits
    late = [model for model in found.models if not model.fits]
    assert late
    for model in late:
        assert model.lacks == "time"
        needed = expected_speed(model.family, 14_448, 10).seconds(family(model.family).fewest(14_448))
        assert model.seconds_fewest == pytest.approx(needed)
        assert model.reason.startswith("needs about ")
        assert " to train to something useful, " in model.reason
        assert model.epochs == 0


def test_what_earlier_runs_measured_changes_the_outlook() -> None:
    quick = foresee(default_plan(time_limit=60), HOUSING, PLENTY)
    slow = foresee(default_plan(time_limit=60), HOUSING, PLENTY, KnownSpeeds((measured(TABM=6.0, FASTAI=6.0),)))
    assert slow.model("TABM").seconds_fewest == pytest.approx(6 * quick.model("TABM").seconds_fewest)
    assert sum(model.fits for model in slow.models) < sum(model.fits for model in quick.models)


@pytest.mark.parametrize("seconds", [20, 30, 40, 60, 90])
def test_what_is_foretold_for_sure_holds_on_a_machine_that_is_half_as_fast_again(seconds: int) -> None:
    plan = default_plan(time_limit=seconds)

    def seen(factor: float) -> Outlook:
        return foresee(plan, HOUSING, PLENTY, KnownSpeeds((measured(each=dict.fromkeys(KEYS, factor)),)))

    found, others = seen(1.0), [seen(0.67), seen(1.49)]
    sure = [model for model in found.models if not model.close]
    for model in sure:
        assert all(other.model(model.family).fits == model.fits for other in others)
    changed = {m.family for m in found.models if any(other.model(m.family).fits != m.fits for other in others)}
    assert changed <= {model.family for model in found.models if model.close}
    assert found.counts[0] <= sum(model.fits for model in found.models) <= found.counts[1]
    assert sure


def test_a_busy_machine_is_expected_to_be_slower_but_its_other_work_may_end() -> None:
    plan = default_plan(time_limit=40)
    alone, busy = foresee(plan, HOUSING, PLENTY), foresee(plan, HOUSING, replace(PLENTY, crowding=3.0))
    for key in KEYS:
        assert busy.model(key).seconds_fewest == pytest.approx(3 * alone.model(key).seconds_fewest)
    assert sum(model.fits for model in busy.models) < sum(model.fits for model in alone.models)
    assert busy.counts[1] == alone.counts[1]
    # Nor does it tell what time would do for all.
    assert busy.seconds_for_all == alone.seconds_for_all is not None
    assert (alone.crowding, busy.crowding) == (1.0, 3.0)
    # It is no reason to refuse what would be carried out otherwise.
    tight = TrainPlan(models=("TABM",), time_limit=3)
    assert foresee(tight, HOUSING, replace(PLENTY, cores=2)).refusal == ""
    assert foresee(tight, HOUSING, replace(PLENTY, cores=2, crowding=9.0)).refusal == ""


def test_where_the_time_is_nearly_enough_nothing_is_foretold_for_sure() -> None:
    tight, roomy = (foresee(default_plan(time_limit=seconds), HOUSING, PLENTY) for seconds in (40, 600))
    assert any(model.close for model in tight.models)
    assert tight.counts[0] < tight.counts[1]
    assert not any(model.close for model in roomy.models)
    assert roomy.counts == (len(KEYS), len(KEYS))
    # What earlier runs measured here leaves less open than a table of costs.
    here = KnownSpeeds((measured(each=dict.fromkeys(KEYS, 1.0)),))
    assert sum(m.close for m in foresee(default_plan(time_limit=40), HOUSING, PLENTY, here).models) < sum(
        model.close for model in tight.models
    )


def test_time_alone_refuses_only_where_a_third_would_be_too_much() -> None:
    plan = TrainPlan(models=("TABM",), time_limit=30)
    alone = KnownSpeeds((measured(TABM=1.0),))
    needed = foresee(plan, HOUSING, PLENTY, alone).model("TABM").seconds_fewest
    most = 3 * (30 + 10)
    just = foresee(plan, HOUSING, PLENTY, KnownSpeeds((measured(TABM=0.99 * most / needed),)))
    # It is trained however late, and that is foretold.
    assert (just.refusal, just.model("TABM").lacks, just.model("TABM").late) == ("", "", True)
    beyond = foresee(plan, HOUSING, PLENTY, KnownSpeeds((measured(TABM=1.01 * most / needed),)))
    assert beyond.lacks == "time"
    assert beyond.refusal == (
        "TabM, the quickest of the chosen networks, needs about 120 s to train to something useful on this table, "
        "and the run has 30 s."
    )
    assert numbers_in(beyond.hint) == ["4 min"]
    # With a second core or a GPU it may well be quicker.
    assert (
        foresee(
            plan, HOUSING, FreeResources(21_000, 70_000, cores=2), KnownSpeeds(beyond_records(most, needed))
        ).refusal
        == ""
    )


def beyond_records(most: float, needed: float) -> tuple[MeasuredSpeeds, ...]:
    return (measured(TABM=1.01 * most / needed),)


def test_a_refusal_for_time_says_what_would_do() -> None:
    huge = facts(rows=5_000_000, features=200)
    found = foresee(TrainPlan(models=("TABM",), time_limit=30), huge, FreeResources(1e6, 1e6))
    assert found.lacks == "time"
    enough = re.search(r"Give it ([\d.]+) (min|h) or more", found.hint)
    assert enough is not None
    seconds = float(enough[1]) * {"min": 60, "h": 3600}[enough[2]]
    again = foresee(TrainPlan(models=("TABM",), time_limit=seconds), huge, FreeResources(1e6, 1e6))
    assert again.refusal == ""
    assert again.model("TABM").fits


@given(
    rows=st.integers(2, 3_000_000),
    features=st.integers(1, 3_000),
    memory=st.floats(0, 1e5),
    disk=st.floats(0, 1e5),
    seconds=st.floats(1, 1e5),
    chosen=st.sets(st.sampled_from(KEYS), min_size=1),
    gpu=st.booleans(),
)
def test_whatever_the_numbers_the_outlook_is_coherent(
    rows: int, features: int, memory: float, disk: float, seconds: float, chosen: set[str], gpu: bool
) -> None:
    table = facts(rows=rows, features=features, encoded=features, networks_mb=rows * features * 8e-6)
    plan = TrainPlan(models=tuple(chosen), time_limit=seconds)
    found = foresee(plan, table, FreeResources(memory, disk, gpu=gpu))
    assert {model.family for model in found.models} == chosen
    for model in found.models:
        assert model.fits == (model.lacks == "") == (model.reason == "")
        assert (model.lacks == "memory") == (model.memory_mb > memory) == (model.largest_size < 0)
        assert (model.epochs > 0) == model.fits
        assert not (model.close and model.lacks == "memory")
    assert bool(found.refusal) == bool(found.hint) == bool(found.lacks)
    assert found.lacks == "time" or not found.refusal or len(numbers_in(found.refusal)) == 2
    if found.lacks == "time":
        assert min(m.seconds_fewest for m in found.models) > 3 * seconds
    if not found.refusal:
        assert found.memory_mb <= memory or all(model.lacks for model in found.models)
        assert found.disk_mb <= disk


# --- the first round --------------------------------------------------------------------------------------------------


def test_the_first_round_follows_the_rules_of_allocation() -> None:
    # 10,000 rows: measuring costs 2 x 20 x 256 rows' part of an epoch, and of the fixed part.
    speeds = {"FASTAI": Speed(0.0, 1.0), "NN_TORCH": Speed(0.0, 1.0)}
    large = facts(rows=10_000_000)
    found = first_round(speeds, large, 20.0, as_wanted("fast"), processes=1)
    first, left = found["FASTAI"]
    assert left == pytest.approx(20.0, abs=0.1)
    assert first is not None
    assert (first.epochs, first.seconds) == (9, 9.0)
    second, left = found["NN_TORCH"]
    assert left == pytest.approx(11.0, abs=0.1)
    assert second is not None
    assert second.epochs == 10
    # Two processes hold twice as much, folds divide it, and with more effort a part is kept for what proves good.
    assert first_round(speeds, large, 20.0, as_wanted("fast"), processes=2)["FASTAI"][0].epochs == 19  # type: ignore[union-attr]
    folded = first_round(speeds, facts(rows=10_000_000, folds=2), 20.0, as_wanted("fast"), processes=1)
    assert folded["FASTAI"][0].epochs == 4  # type: ignore[union-attr]
    assert first_round(speeds, large, 30.0, as_wanted("balanced"), processes=1)["FASTAI"][0].epochs == 5  # type: ignore[union-attr]


def test_a_family_that_does_not_fit_is_tried_again_when_the_others_are_done() -> None:
    large = facts(rows=10_000)
    speeds = {"FASTAI": Speed(0.0, 10.0), "NN_TORCH": Speed(0.0, 1.0)}
    found = first_round(speeds, large, 20.0, as_wanted("fast"), processes=1)
    assert found["FASTAI"][0] is None
    assert found["NN_TORCH"][0] is not None
    assert first_round({}, large, 20.0, as_wanted("fast"), processes=1) == {}


def test_some_of_the_budget_is_kept_for_what_follows() -> None:
    plan = TrainPlan(models=("FASTAI", "TABM"), time_limit=120)
    assert kept_seconds(HOUSING, plan) == pytest.approx(1 + 0.3 + 6_192 * 2 / 20_000 + 0.04 * 120)
    assert kept_seconds(facts(test_rows=10_000_000), plan) == pytest.approx(0.25 * 120 + 0.04 * 120)


def test_what_time_would_do_for_all_is_told() -> None:
    found = foresee(default_plan(time_limit=40), HOUSING, PLENTY)
    assert found.seconds_for_all is not None
    enough = foresee(default_plan(time_limit=found.seconds_for_all), HOUSING, PLENTY)
    assert all(model.fits and not model.late for model in enough.models)
    assert enough.seconds_for_all is None


def test_with_more_time_rows_are_divided_into_folds_which_takes_more_of_it() -> None:
    split = Split()
    table = facts(rows=2_400, validation_rows=500, test_rows=500)
    plain = foresee(default_plan(time_limit=60), table, PLENTY)
    divided = foresee(default_plan(time_limit=300), table, PLENTY, split=split)
    for key in KEYS:
        assert divided.model(key).seconds_fewest > 3 * plain.model(key).seconds_fewest
    # Asked the other way round, the folds are taken back.
    folded = facts(rows=2_900, validation_rows=0, test_rows=500, folds=5)
    assert foresee(default_plan(time_limit=60), folded, PLENTY, split=split).rows < 2_900
