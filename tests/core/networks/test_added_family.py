"""A family that another package adds from a module of its own is offered, trained, judged and kept like all others."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest

from dlreg_core.networks import FAMILIES, PRETRAINED
from dlreg_core.runs import RunFolder
from tests.conftest import ROOT, small_table

TOY = Path(__file__).parent / "data" / "toy_network.py"

_IN_THE_APP = """
import json, os
from pathlib import Path
from starlette.applications import Starlette
from starlette.testclient import TestClient
from dlreg_core.api import routes_below
from dlreg_core.networks import DEFAULT_FAMILIES, default_plan, pretrained
from dlreg_core.networks.catalogue_page import page
from dlreg_core.scoring.server import RequestHandler
from dlreg_core.settings import Settings
from tests.conftest import add_table, experiment_on, small_table
from tests.pages.opening import opened_train, texts, widget

home = Settings().home
dataset = add_table(home, small_table(300))
app = opened_train(dataset.id)
widget(app.checkbox, "Toy").check().run()
experiment = experiment_on(dataset, "price", models=("TOY",), time_limit=30)
outlook = RequestHandler().answer({
    "do": "preflight", "home": str(home), "experiment": experiment.model_dump(mode="json")})
answer = TestClient(Starlette(routes=routes_below())).get("/api/networks/toy").json()
print(json.dumps({
    "form": [box.label for box in app.checkbox],
    "fields": [field.label for field in app.number_input],
    "errors": [str(error.value) for error in app.exception],
    "default": "TOY" in DEFAULT_FAMILIES,
    "page": "## Toy (`TOY`)" in page(),
    "outlook": outlook,
    "api": answer,
}))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment in which the package is installed."""
    place = tmp_path_factory.mktemp("added")
    shutil.copy(TOY, place / "toy_network.py")
    about = place / "toy_network-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-network\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[dlreg.networks]\ntoy = toy_network:TOY\n")
    return {**os.environ, "PYTHONPATH": f"{place}{os.pathsep}{ROOT}", "DLREG_HOME": str(place / "home")}


def told(environment: dict[str, str], *command: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        [sys.executable, *command], env=environment, cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_family_is_named_outside_its_own_room() -> None:
    keys = "|".join(re.escape(known.key) for known in (*FAMILIES, *PRETRAINED))
    files = [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "dlreg_core").rglob("*.py")]
    named = [
        f"{file.relative_to(ROOT)}: {found}"
        for file in files
        if "networks" not in file.relative_to(ROOT).parts[1:-1]
        for found in re.findall(rf"(?<![\w-])(?:{keys})(?![\w-])", file.read_text(encoding="utf-8"))
    ]
    assert named == []
    assert len(files) > 300


def test_a_module_of_its_own_is_all_that_it_takes() -> None:
    assert len(TOY.read_text().splitlines()) < 60


def test_it_stands_in_the_form_the_documents_the_api_and_the_forecast(environment: dict[str, str]) -> None:
    found = json.loads(told(environment, "-c", _IN_THE_APP).splitlines()[-1])
    assert found["errors"] == []
    assert "Toy" in found["form"]
    assert {"Epochs", "Batch size", "Learning rate"} <= set(found["fields"])
    assert found["page"]
    # Others are trained where nothing else is chosen.
    assert found["default"] is False
    (model,) = found["outlook"]["models"]
    assert (model["family"], model["title"], model["fits"]) == ("TOY", "Toy", True)
    assert [setting["name"] for setting in found["api"]["settings"]] == ["epochs", "batch_size", "learning_rate"]


@pytest.mark.soak
def test_it_is_trained_judged_kept_and_predicts_elsewhere(environment: dict[str, str], tmp_path: Path) -> None:
    assert "TOY" in [row["key"] for row in json.loads(told(environment, "-m", "dlreg_core.cli", "models", "--json"))]
    table = small_table(300)
    table.to_csv(tmp_path / "houses.csv", index=False)
    command = ("train", "houses.csv", "--target", "price", "--models", "toy", "--time-limit", "15", "--json")
    report = json.loads(told(environment, "-m", "dlreg_core.cli", *command, "--setting", "TOY.epochs=9", cwd=tmp_path))
    rows = {row["model"]: row for row in report["leaderboard"]}
    assert rows["Toy"]["role"] == "network"
    # It has learned a part of what a line can.
    assert rows["Toy"]["rmse"] < rows["Mean"]["rmse"]
    run = RunFolder(Path(environment["DLREG_HOME"]) / "runs" / report["run_id"])
    result = run.result()
    assert result is not None
    assert {(fit.family, fit.epochs) for fit in result.plan.fits} == {("TOY", 9)}
    into = ("--model", "Toy", "--out", str(tmp_path / "m.zip"))
    told(environment, "-m", "dlreg_core.cli", "export", report["run_id"], *into)
    with ZipFile(tmp_path / "m.zip") as file:
        file.extractall(tmp_path / "m")
    (folder,) = {path.parent for path in (tmp_path / "m").rglob("predict.py")}
    assert "toy-network==1.0" in (folder / "requirements.txt").read_text().splitlines()
    alone = {**environment, "PYTHONPATH": environment["PYTHONPATH"].split(os.pathsep)[0]}
    told(alone, str(folder / "predict.py"), str(tmp_path / "houses.csv"), str(tmp_path / "out.csv"), cwd=tmp_path)
    predicted = pd.read_csv(tmp_path / "out.csv")
    assert len(predicted) == len(table)
