"""With trained networks too, a row predicts alone what it predicts in its file: app, terminal and script."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from dlreg_core.cli.application import app as commands
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.jobs import open_dispatcher
from dlreg_core.model_file import write_bundle
from dlreg_core.runs import RunFolder
from dlreg_core.settings import Settings
from dlreg_core.specs import RunState
from tests.conftest import experiment_on, wait_until_ended
from tests.pages.opening import opened

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

ROWS, FILE = 240, 200
"""Rows of the table, and of the file that is predicted: the app shows no more."""
EACH = 40
"""Rows that are predicted one by one in the terminal, which loads the model again for each."""
SHOWN = 5


def german_number(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}".translate(str.maketrans(",.", ".,"))


def german(rows: int = ROWS) -> list[str]:
    """Return the lines of a table with decimal commas, grouped numbers, a unit in its case and dates day first."""
    rng = np.random.default_rng(3)
    lines = ["Fläche;Grund;Leistung;gebaut;Ort;Preis"]
    for _ in range(rows):
        area, plot, power = rng.uniform(40, 240), int(rng.integers(200, 9_000)), rng.uniform(0.2, 9)
        built = pd.Timestamp(1990, 1, 1) + pd.Timedelta(days=int(rng.integers(0, 12_000)))
        place = ["Köln", "Lüneburg", "Essen"][int(rng.integers(3))]
        price = 900 * area + 30 * plot + 20_000 * power + 3_000 * (built.year - 1990) + rng.normal(0, 5_000)
        lines.append(
            ";".join(
                [
                    german_number(area, 1),
                    german_number(plot, 0),
                    f"{german_number(power, 3)} MW",
                    f"{built:%d.%m.%Y}",
                    place,
                    german_number(price, 1),
                ]
            )
        )
    return lines


@dataclass(frozen=True)
class Made:
    run: RunFolder
    home: Path
    bundle: Path
    lines: list[str]

    def file(self, place: Path, *rows: int) -> Path:
        """Write a file of some rows, without the target."""
        kept = [self.lines[0], *(self.lines[row + 1] for row in rows)]
        path = place / "rows.csv"
        path.write_text("\n".join(line.rsplit(";", 1)[0] for line in kept) + "\n", "cp1252")
        return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    place = tmp_path_factory.mktemp("alone")
    home, lines = place / "home", german()
    dataset = DatasetStore(home).add("\n".join(lines).encode("cp1252"), "häuser.csv")
    experiment = experiment_on(dataset, "Preis", models=("FASTAI", "FEEDFORWARD"), preset="fast", time_limit=60.0)
    units = {column.name: column.unit for column in dataset.columns if column.unit and column.name != "Preis"}
    cleaning = experiment.recipe.cleaning.model_copy(update={"units": units})
    recipe = experiment.recipe.model_copy(update={"cleaning": cleaning})
    dispatcher = open_dispatcher(Settings(home=home))
    run_id = dispatcher.submit(experiment.model_copy(update={"recipe": recipe}))
    wait_until_ended(dispatcher, run_id)
    run = dispatcher.store.folder(run_id)
    done = run.train_task().done()
    assert done is not None
    assert done.state is RunState.COMPLETED, done.reason
    write_bundle(run, None, place / "model.zip")
    yield Made(run, home, place / "model.zip", lines)
    dispatcher.stop()


def in_terminal(made: Made, source: Path, out: Path) -> pd.DataFrame:
    done = CliRunner().invoke(commands, ["predict", str(made.bundle), str(source), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "can't be read" not in done.output
    return pd.read_csv(out)


def by_script(made: Made, source: Path, out: Path) -> pd.DataFrame:
    folder = made.bundle.parent / "unpacked"
    if not folder.exists():
        with zipfile.ZipFile(made.bundle) as archive:
            archive.extractall(folder)
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "DLREG_HOME")}
    command = [sys.executable, str(folder / "predict.py"), str(source), str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return pd.read_csv(out)


def in_app(made: Made, source: Path, out: Path) -> pd.DataFrame:
    app = opened("predict", run=made.run.id)
    app.file_uploader[0].upload(source.name, source.read_bytes(), "text/csv").run()
    assert not app.exception
    del out
    table: pd.DataFrame = app.dataframe[-1].value
    return table


@pytest.mark.parametrize(("predict", "each"), [(in_terminal, EACH), (by_script, SHOWN), (in_app, SHOWN)])
def test_a_row_predicts_alone_what_it_predicts_in_its_file(
    made: Made,
    predict: Callable[[Made, Path, Path], pd.DataFrame],
    each: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DLREG_HOME", str(made.home))
    ends = ["prediction", "low", "high"]
    whole = predict(made, made.file(tmp_path, *range(FILE)), tmp_path / "whole.csv")[ends]
    # It has learned something: equal figures of a model that knows nothing would show nothing.
    actual = [float(line.rsplit(";", 1)[1].replace(".", "").replace(",", ".")) for line in made.lines[1 : FILE + 1]]
    assert np.corrcoef(whole["prediction"], actual)[0, 1] > 0.9
    for row in np.linspace(0, FILE - 1, each).astype(int):
        alone = predict(made, made.file(tmp_path, int(row)), tmp_path / "alone.csv")[ends]
        np.testing.assert_allclose(alone.to_numpy()[0], whole.iloc[row], rtol=1e-5, err_msg=made.lines[row + 1])


def test_a_bad_cell_changes_no_other_rows_prediction(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLREG_HOME", str(made.home))
    source = made.file(tmp_path, *range(30))
    whole = in_terminal(made, source, tmp_path / "whole.csv")["prediction"]
    lines = source.read_text("cp1252").splitlines()
    for place, bad in enumerate(["8.25k", "inf", "500 mW?", "31.02.2020", "??"]):
        cells = lines[place + 1].split(";")
        cells[place] = bad
        lines[place + 1] = ";".join(cells)
    source.write_text("\n".join(lines) + "\n", "cp1252")
    done = CliRunner().invoke(
        commands, ["predict", str(made.bundle), str(source), "--out", str(tmp_path / "spoilt.csv")]
    )
    assert done.exit_code == 0, done.output
    spoilt = pd.read_csv(tmp_path / "spoilt.csv")["prediction"]
    np.testing.assert_allclose(spoilt[5:], whole[5:], rtol=1e-5)
    for bad in ("8.25k", "inf", "500 mW?", "31.02.2020", "??"):
        assert bad in done.output
