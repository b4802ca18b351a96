"""The command line, as a shell calls it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlreg_core.cli.application import main
from dlreg_core.runs import RunFolder, load_predictions, open_store
from dlreg_core.settings import Settings
from dlreg_core.specs import RunState
from tests.conftest import small_table, wait_for

COMMAND = str(Path(sys.executable).with_name("dlreg"))
RUN_KEYS = {
    "run_id",
    "run_dir",
    "state",
    "stopped_early",
    "seconds",
    "budget_seconds",
    "best_model",
    "test_rows",
    "device",
    "device_note",
    "leaderboard",
    "comparisons",
    "ahead",
}
ROW_KEYS = {
    "model",
    "family",
    "role",
    "rmse",
    "mae",
    "mse",
    "r2",
    "median_ae",
    "rmse_validation",
    "fit_seconds",
    "predict_rows_per_second",
    "size_mb",
    "note",
}
LIST_KEYS = {"run_id", "state", "name", "target", "split", "best_model", "best_rmse", "size_mb", "created", "models"}
Refused = Callable[[list[str]], str]


class Shell:
    """Calls the command in a folder of its own, with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.environment = {**os.environ, "DLREG_HOME": str(self.home), "COLUMNS": "80"}

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    found = Shell(tmp_path_factory.mktemp("shell"))
    small_table(120).to_csv(found.folder / "houses.csv", index=False)
    small_table(20, seed=3).drop(columns="price").to_csv(found.folder / "new.csv", index=False)
    yield found


@pytest.fixture
def refused(shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Return what calls the command in this process and returns the one line that it tells.

    Starting a process takes longer than finding out what is wrong.
    """
    monkeypatch.chdir(shell.folder)
    monkeypatch.setenv("DLREG_HOME", str(shell.home))

    def call(arguments: list[str]) -> str:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["dlreg", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        assert ended.value.code == 2, told.err
        assert told.out == ""
        assert len(told.err.splitlines()) == 1, told.err
        return told.err

    return call


@pytest.fixture(scope="module")
def answer(shell: Shell) -> dict[str, object]:
    """Return what training printed."""
    options = ["--models", "fastai", "--time-limit", "25", "--preset", "fast", "--seed", "3", "--name", "Été"]
    done = shell("train", "houses.csv", "--target", "price", *options, "--json")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_training_prints_one_object_with_the_documented_keys(shell: Shell, answer: dict[str, object]) -> None:
    assert set(answer) == RUN_KEYS
    rows = answer["leaderboard"]
    assert isinstance(rows, list)
    assert all(set(row) == ROW_KEYS for row in rows)
    assert (answer["state"], answer["budget_seconds"], answer["stopped_early"]) == ("completed", 25.0, False)
    assert {row["role"] for row in rows} == {"network", "baseline"}
    run = RunFolder(Path(str(answer["run_dir"])))
    assert run.id == answer["run_id"]
    assert run.path == shell.home / "runs" / run.id
    stored = load_predictions(run)
    assert answer["test_rows"] == len(stored.rows) == 18
    for row in rows:
        rmse = float(np.sqrt(np.mean((stored.actual - stored.predicted[row["model"]]) ** 2)))
        assert row["rmse"] == pytest.approx(rmse)
    experiment = run.experiment()
    assert (experiment.name, experiment.plan.seed, experiment.recipe.split.seed) == ("Été", 3, 3)
    assert (experiment.plan.models, experiment.plan.preset) == (("FASTAI",), "fast")


def test_runs_lists_them(shell: Shell, answer: dict[str, object]) -> None:
    done = shell("runs", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    listed = {run["run_id"]: run for run in json.loads(done.stdout)}
    mine = listed[str(answer["run_id"])]
    assert set(mine) == LIST_KEYS
    assert (mine["state"], mine["name"], mine["target"], mine["split"]) == ("completed", "Été", "price", "random")
    assert mine["best_model"] == answer["best_model"]
    rows = answer["leaderboard"]
    assert isinstance(rows, list)
    assert mine["best_rmse"] == next(r["rmse"] for r in rows if r["model"] == answer["best_model"])
    assert mine["created"].endswith("Z")
    plain = shell("runs")
    assert str(answer["run_id"]) in plain.stdout
    assert "completed" in plain.stdout


@pytest.mark.soak
def test_a_run_and_its_exported_file_predict_the_same(shell: Shell, answer: dict[str, object]) -> None:
    run_id = str(answer["run_id"])
    exported = shell("export", run_id, "--out", "out/model.zip")
    assert exported.returncode == 0, exported.stderr
    assert "5 reference rows came out as they should" in exported.stderr
    assert "- 5 test rows are in it with their predictions" in exported.stderr
    from_run = shell("predict", run_id, "new.csv", "--out", "run.csv")
    from_file = shell("predict", "out/model.zip", "new.csv", "--out", "file.parquet")
    assert (from_run.returncode, from_file.returncode) == (0, 0), from_run.stderr + from_file.stderr
    assert "no record" not in from_file.stderr
    one, two = pd.read_csv(shell.folder / "run.csv"), pd.read_parquet(shell.folder / "file.parquet")
    np.testing.assert_allclose(one["prediction"], two["prediction"], rtol=1e-5)
    new = pd.read_csv(shell.folder / "new.csv")
    assert list(one.columns) == [*new.columns, "prediction", "low", "high"]
    assert (one["low"] < one["prediction"]).all()
    assert (one["high"] > one["prediction"]).all()
    assert one["id"].tolist() == new["id"].tolist()


BAD = [
    (["train", "nowhere.csv", "--target", "price"], "nowhere.csv"),
    (["train", "houses.csv", "--target", "cost"], "no column cost"),
    (["train", "houses.csv", "--target", "place"], "place"),
    (["train", "houses.csv", "--target", "price", "--models", "FASTAI,XGB"], "no network called XGB"),
    (["train", "houses.csv", "--target", "price", "--split", "size"], "'size' is no split"),
    (["train", "houses.csv", "--target", "price", "--split", "time:"], "'time:' is no split"),
    (["train", "houses.csv", "--target", "price", "--transform", "root"], "no transform root"),
    (["train", "houses.csv", "--target", "price", "--split", "group:when"], "no column when"),
    (["train", "houses.csv", "--target", "price", "--preset", "slow"], "no preset slow"),
    (["train", "houses.csv", "--target", "price", "--device", "tpu"], "no device tpu"),
    (["train", "houses.csv", "--target", "price", "--time-limit", "0"], "positive number of seconds"),
    (["train", "houses.csv", "--target", "price", "--time-limit", "nan"], "positive number of seconds"),
    (["train", "houses.csv", "--target", "price", "--time-limit", "soon"], "'--time-limit'"),
    (["train", "houses.csv"], "--target"),
    (["train", "houses.csv", "--target", "price", "--replay", "nobody"], "There is no run 'nobody'"),
    (["train", "houses.csv", "--target", "price", "--test-data", "new.csv"], "test file has no column price"),
    (["train", "tiny.csv", "--target", "y"], "at least 20"),
    (["train", "houses.csv", "--target", "price", "--horizon", "14"], "No column is made of earlier values of price"),
    (["predict", "nobody", "new.csv", "--out", "x.csv"], "There is no run 'nobody'"),
    (["predict", "houses.csv", "new.csv", "--out", "x.csv"], "no readable model file"),
    (["export", "nobody", "--out", "x.zip"], "There is no run 'nobody'"),
    (["delete", "nobody"], "There is no run 'nobody'"),
    (["cancel", "nobody"], "There is no run 'nobody'"),
    (["finish", "nobody"], "There is no run 'nobody'"),
    (["continue", "nobody", "--time-limit", "30"], "There is no run 'nobody'"),
    (["continue", "nobody"], "--time-limit"),
    (["fly"], "fly"),
]


@pytest.mark.parametrize(("arguments", "part"), BAD, ids=[" ".join(a) for a, _ in BAD])
def test_bad_input_ends_with_2_and_one_line(refused: Refused, shell: Shell, arguments: list[str], part: str) -> None:
    pd.DataFrame({"x": range(12), "y": range(12)}).to_csv(shell.folder / "tiny.csv", index=False)
    assert part in refused(arguments)


def test_bad_input_ends_the_process_too(shell: Shell) -> None:
    done = shell("train", "nowhere.csv", "--target", "price")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_bad_input_for_a_run_that_exists(refused: Refused, shell: Shell, answer: dict[str, object]) -> None:
    run_id = str(answer["run_id"])
    pd.DataFrame({"size": [1.0]}).to_csv(shell.folder / "short.csv", index=False)
    for arguments, part in (
        (["predict", run_id, "short.csv", "--out", "x.csv"], "no column place, built"),
        (["predict", run_id, "new.csv", "--out", "x.csv", "--model", "XGB"], "no model 'XGB'"),
        (["predict", run_id, "new.csv", "--out", "no/such/folder/x.csv"], "can't be written"),
        (["export", run_id, "--out", "x.zip", "--model", "XGB"], "no model 'XGB'"),
        (["cancel", run_id], "isn't running"),
        (["finish", run_id], "is finished already"),
        (["continue", run_id, "--time-limit", "-1"], "positive number of seconds"),
        (["train", "houses.csv", "--target", "size", "--replay", run_id], "was about price"),
    ):
        assert part in refused(arguments)


def test_a_run_is_deleted(shell: Shell, answer: dict[str, object], tmp_path: Path) -> None:
    other = Shell(tmp_path)
    shutil.copytree(shell.home, other.home)
    done = other("delete", str(answer["run_id"]))
    assert (done.returncode, done.stdout) == (0, f"Run {answer['run_id']} is deleted.\n")
    assert not (other.home / "runs" / str(answer["run_id"])).exists()
    assert json.loads(other("runs", "--json").stdout) == []


@pytest.mark.soak
def test_of_a_run_that_trains_the_queue_tells_where_and_it_can_not_be_continued(shell: Shell, tmp_path: Path) -> None:
    other = Shell(tmp_path)
    shutil.copy(shell.folder / "houses.csv", tmp_path)
    arguments = ["train", "houses.csv", "--target", "price", "--models", "FASTAI", "--time-limit", "200"]
    training = [other.start(*arguments, "--split", "random") for _ in range(2)]
    try:
        wait_for(lambda: len(json.loads(other("queue", "--json").stdout)) == 2)
        wait_for(lambda: [line["slot"] for line in json.loads(other("queue", "--json").stdout)] == ["cpu:0", None])
        first, second = json.loads(other("queue", "--json").stdout)
        assert (first["ahead"], second["ahead"], second["kind"]) == (None, 0, "train")
        assert 100 < second["starts_in_seconds"] <= 200
        lines = other("queue").stdout.splitlines()
        assert "running on cpu:0" in lines[0]
        assert "0 before it, starts in about 3 min" in lines[1]
        done = other("continue", first["run_id"], "--time-limit", "30")
        assert done.returncode == 2
        assert "is still going. It can be continued once it has ended" in done.stderr
        done = other("finish", second["run_id"])
        assert (done.returncode, "hasn't started yet" in done.stderr) == (2, True)
        for run in (second, first):
            assert other("cancel", run["run_id"]).returncode == 0
        assert json.loads(other("queue", "--json").stdout) == []
    finally:
        for process in training:
            try:
                process.communicate(timeout=60)
            finally:
                process.kill()


def test_orphans_are_cleaned_and_nothing_else(shell: Shell, answer: dict[str, object], tmp_path: Path) -> None:
    other = Shell(tmp_path)
    shutil.copytree(shell.home, other.home)
    old = time.time() - 7200
    for name in ("runs/.halfrun", "datasets/.part-x", f"runs/{answer['run_id']}/tasks/.2-x"):
        (other.home / name).mkdir(parents=True)
        (other.home / name / "file").write_text("x")
        for path in (other.home / name / "file", other.home / name):
            os.utime(path, (old, old))
    (other.home / "runs" / ".young").mkdir()
    before = {
        p for p in other.home.rglob("*") if "halfrun" not in str(p) and "part-x" not in str(p) and "2-x" not in str(p)
    }
    assert other("clean", "--dry-run").stderr.strip() == "3 found."
    assert other("clean").stderr.strip() == "3 removed."
    assert set(other.home.rglob("*")) == before


@pytest.mark.soak
def test_a_running_training_is_cancelled_from_another_shell(shell: Shell, tmp_path: Path) -> None:
    other = Shell(tmp_path)
    shutil.copy(shell.folder / "houses.csv", tmp_path)
    training = other.start("train", "houses.csv", "--target", "price", "--time-limit", "200", "--json")
    try:
        wait_for(lambda: any(other.home.glob("runs/[0-9]*/tasks/1/started.json")))
        run_id = next((other.home / "runs").glob("[0-9]*")).name
        done = other("cancel", run_id)
        assert (done.returncode, done.stdout) == (0, f"Run {run_id} is cancelled.\n")
        out, error = training.communicate(timeout=60)
    finally:
        training.kill()
        training.wait()
    assert training.returncode == 1, error
    found = json.loads(out)
    assert set(found) == RUN_KEYS
    assert (found["state"], found["best_model"], found["leaderboard"]) == ("cancelled", None, [])
    first, split, last = error.splitlines()
    assert (first, last) == (f"Run {run_id}", "The run is cancelled. Cancelled while it was running.")
    assert split.startswith("Split: random. A random split was measured: ")
    task = open_store(Settings(home=other.home)).folder(run_id).train_task()
    assert task.state() is RunState.CANCELLED
    assert task.process() is None


def test_help_names_every_command() -> None:
    done = subprocess.run([COMMAND, "--help"], capture_output=True, text=True, timeout=60, check=True)
    for name in (
        "serve",
        "train",
        "predict",
        "export",
        "runs",
        "queue",
        "finish",
        "continue",
        "cancel",
        "delete",
        "clean",
    ):
        assert f" {name} " in done.stdout


@pytest.mark.soak
def test_what_gives_the_target_away_is_told_and_can_be_dropped(shell: Shell) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"casual": rng.integers(0, 99, 80), "registered": rng.integers(0, 99, 80), "x": rng.random(80)}
    )
    table.assign(total=table["casual"] + table["registered"]).to_csv(shell.folder / "rented.csv", index=False)
    train = ["train", "rented.csv", "--target", "total", "--models", "FEEDFORWARD", "--time-limit", "6", "--json"]
    first, second = shell(*train), shell(*train, "--drop", "casual, registered")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    run, warning = first.stderr.splitlines()[:2]
    assert run.startswith("Run ")
    assert warning.startswith("Warning: casual, registered: casual + registered is total, in every row")
    assert "Warning" not in second.stderr
    kept = RunFolder(Path(json.loads(second.stdout)["run_dir"])).experiment().recipe.features
    assert kept == ("x",)
    wrong = shell(*train, "--drop", "size")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "no column size to drop" in wrong.stderr


def test_a_gpu_that_may_not_be_used_is_refused(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(shell.environment, "CUDA_VISIBLE_DEVICES", "")
    done = shell("train", "houses.csv", "--target", "price", "--device", "gpu")
    assert done.returncode == 2
    assert "no NVIDIA GPU that runs may use" in done.stderr
