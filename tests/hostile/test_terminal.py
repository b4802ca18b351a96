"""The command line: names, levels and errors hold no order to a terminal, and strange model files are told."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from rich.console import Console

from dlreg_core.cli import application, terminal_progress
from dlreg_core.errors import RowsError
from dlreg_core.model_file import predict_script
from dlreg_core.names import clean_name
from dlreg_core.networks import default_plan
from dlreg_core.runs import open_store
from dlreg_core.runs.atomic_files import write_spec
from dlreg_core.runs.exported_hashes import note_made, was_made
from dlreg_core.settings import Settings
from dlreg_core.specs import Event, Experiment, Exported, Recipe, RunState, now
from tests.conftest import ROOT, add_table, experiment_on, small_table

ESCAPES = "\x1b[31m\x1b]0;pwned\x07\x9b2J\u202e\u2066"
SEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["dlreg", *arguments])
    with pytest.raises(SystemExit) as ended:
        application.main()
    return int(ended.value.code or 0)


def hostile_table(folder: Path) -> Path:
    table = small_table(60).rename(columns={"place": f"place{ESCAPES}[/red][bold]"})
    table[f"place{ESCAPES}[/red][bold]"] = [f"{ESCAPES}north\nRun 1 is deleted.", "south[/x]"] * 30
    path = folder / f"houses{ESCAPES[-2:]}[b].parquet"
    table.to_parquet(path, index=False)
    return path


def test_a_profile_shows_text(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "profile", str(hostile_table(tmp_path)), "--target", "price") == 0
    told = capsys.readouterr()
    assert not SEEN.search(told.out + told.err)
    # What looks like markup is shown, and not obeyed.
    assert "[b].parquet" in told.out and "[/red][bold]" in "".join(told.out.split())
    assert "\nRun 1 is deleted." not in told.out


@pytest.mark.parametrize("arguments", [("--target", f"no{ESCAPES}"), ("--sheet", ESCAPES)])
def test_errors_show_text(
    arguments: tuple[str, str],
    tmp_path: Path,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = hostile_table(tmp_path)
    if arguments[0] == "--sheet":
        path = tmp_path / "no\x1b[31m such file.xlsx"
    assert run(monkeypatch, "profile", str(path), *arguments) == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert not SEEN.search(told.err)


def test_lists_of_runs_show_text(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = add_table(home, small_table(60))
    named = experiment_on(dataset, "price").model_copy(update={"name": f"mine{ESCAPES}\nnot a run"})
    open_store(Settings(home=home)).create(named)
    for command in ("runs", "queue"):
        run(monkeypatch, command)
        told = capsys.readouterr()
        assert "mine" in told.out and told.out.count("\n") == 1
        assert not SEEN.search(told.out)
        run(monkeypatch, command, "--json")
        assert not SEEN.search(capsys.readouterr().out)


def test_names_of_runs_are_clean_however_they_come(home: Path) -> None:
    recipe = Recipe(target="y", features=("x",))
    made = Experiment(
        name=f"a{ESCAPES}" * 500, dataset_id="0" * 16, dataset_name=f"b\n{ESCAPES}", recipe=recipe, plan=default_plan()
    )
    assert made.name == clean_name(made.name) and len(made.name) <= 200
    assert not SEEN.search(made.dataset_name)
    read = Experiment.model_validate_json(json.dumps(made.model_dump(mode="json") | {"name": f"c{ESCAPES}"}))
    assert not SEEN.search(read.name)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_shows_text(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = [f"Looking at [/red] {ESCAPES}\nRun 1 is deleted."]
    events = [Event(time=now(), kind="stage", data={"name": name}) for name in told]
    ended = iter([RunState.RUNNING, RunState.COMPLETED])
    task = SimpleNamespace(
        time_limit=lambda: 10.0,
        state=lambda: next(ended),
        events=lambda offset: SimpleNamespace(events=events[offset:], offset=len(events)),
        done=lambda: True,
        used_seconds=lambda: 1.0,
    )
    run_service = SimpleNamespace(
        folder=lambda run_id: SimpleNamespace(train_task=lambda: task),
        dispatcher=SimpleNamespace(look=lambda: None),
        refresh=lambda run_id: None,
    )
    monkeypatch.setattr(terminal_progress, "_POLL_SECONDS", 0.0)
    made = Console
    monkeypatch.setattr(
        terminal_progress, "Console", lambda file: made(file=file, force_terminal=is_terminal, width=200)
    )
    assert terminal_progress.watch(run_service, "1", quiet=False) is RunState.COMPLETED  # type: ignore[arg-type]
    shown = capsys.readouterr().err
    assert "[/red]" in shown
    assert "]0;pwned" in shown and "\x1b]0" not in shown and "\x1b[31m]0" not in shown
    assert "\u202e" not in shown and "\nRun 1" not in shown


def test_the_script_in_a_model_file_shows_text(capsys: pytest.CaptureFixture[str]) -> None:
    predict_script.say(RowsError(f"The column a{ESCAPES}\nb is missing."))
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and not SEEN.search(told)


def test_lack_of_memory_is_one_sentence(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacking(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("dlreg_core.cli.table_commands.findings", lacking)
    assert run(monkeypatch, "profile", str(hostile_table(tmp_path))) == 1
    assert capsys.readouterr().err == (
        "The machine ran out of memory. Use fewer rows, columns or networks, or a machine with more memory.\n"
    )


# --- whose model file it is -------------------------------------------------------------------------------------------


def test_a_home_knows_the_files_that_it_made(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert not was_made(home, "0" * 64)
    # Without a home nothing can be noted, and that is no error.
    note_made(home, "a" * 64)
    home.mkdir()
    note_made(home, "a" * 64)
    note_made(home, "b" * 64)
    assert was_made(home, "a" * 64) and was_made(home, "b" * 64) and not was_made(home, "c" * 64)
    assert not was_made(home, "") and not was_made(home, "a" * 63)


def test_files_of_earlier_versions_are_known_by_what_the_app_keeps(tmp_path: Path) -> None:
    made = Exported(
        path="x.zip",
        model="TabM",
        size_mb=1.0,
        sha256="d" * 64,
        members=(),
        reference_rows=5,
        max_relative_difference=0,
    )
    write_spec(tmp_path / "cache" / "exports" / "1-tabm.json", made)
    (tmp_path / "cache" / "exports" / "2-tabm.json").write_text("damaged")
    assert was_made(tmp_path, "d" * 64)
    assert not was_made(tmp_path, "e" * 64)


def test_a_strange_model_file_is_told_before_it_is_loaded(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model, rows = tmp_path / "mo\x1b[31mdel.zip", tmp_path / "rows.csv"
    with zipfile.ZipFile(model, "w") as archive:
        archive.writestr("manifest.json", "{}")
    pd.DataFrame({"a": [1, 2], "b": [1, 2]}).to_csv(rows, index=False)
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    arguments = ("predict", str(model), str(rows), "--out", str(tmp_path / "out.csv"))
    assert run(monkeypatch, *arguments) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == (
        f"Loading mo[31mdel.zip runs code that is in it, and this home has no record of having made it "
        f"(SHA-256 {digest})."
    )
    assert "no readable manifest" in second
    home.mkdir(exist_ok=True)
    note_made(home, digest)
    assert run(monkeypatch, *arguments) == 2
    assert capsys.readouterr().err.splitlines() == [second]


# --- logs -------------------------------------------------------------------------------------------------------------

LOGGING = f"""
import logging, sys
from dlreg_core.logs import keep_plain, print_error
keep_plain()
keep_plain()
logging.basicConfig(format="%(levelname)s %(message)s")
name = {ESCAPES!r} + "\\nERROR nothing happened"
logging.warning("The column %s of 100 %% is odd.", name)
logging.warning("%s", 7)
try:
    raise KeyError(name)
except KeyError as exc:
    logging.exception("No column %s", name)
    print_error(exc)
raise ValueError(name)
"""


def test_logs_and_tracebacks_are_text() -> None:
    ended = subprocess.run([sys.executable, "-c", LOGGING], capture_output=True, text=True, cwd=ROOT, check=False)
    assert ended.returncode == 1
    assert not SEEN.search(ended.stderr)
    lines = ended.stderr.splitlines()
    begins = [line for line in lines if line.startswith(("ERROR", "WARNING"))]
    assert [line.split()[1] for line in begins] == ["The", "7", "No"]
    assert "of 100 % is odd." in ended.stderr
    assert any(line.strip().startswith("ValueError: [31m") for line in lines)
    # The traceback is still told.
    assert ended.stderr.count("Traceback (most recent call last)") == 3
