"""The model file: it predicts like the run, alone, and nothing damaged or foreign is loaded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from packaging.requirements import Requirement

from dlreg_core.cleaning import TargetTransform
from dlreg_core.errors import BundleError, ConflictError, NotFoundError
from dlreg_core.model_file import Manifest, load_bundle, write_bundle
from dlreg_core.model_file.manifest import MANIFEST, version_differences
from dlreg_core.model_file.requirements import requirements_for
from dlreg_core.pipeline.fitted_pipeline import Pipeline
from dlreg_core.pipeline.prediction_interval import PredictionInterval
from dlreg_core.runs import RunFolder, load_predictions
from dlreg_core.runs.atomic_files import sha256
from dlreg_core.runs.exported_hashes import was_made
from dlreg_core.specs import Exported
from dlreg_core.splitting import prepared_of
from dlreg_core.wording.verdict_text import worth_words

Members = dict[str, bytes]


@dataclass(frozen=True)
class Written:
    run: RunFolder
    path: Path
    exported: Exported
    unpacked: Path


def write(run: RunFolder, model: str | None, place: Path) -> Written:
    path = place / "model.zip"
    exported = write_bundle(run, model, path)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(place / "unpacked")
    return Written(run, path, exported, place / "unpacked")


@pytest.fixture(scope="module")
def best(trained: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    yield write(trained, None, tmp_path_factory.mktemp("best"))


@pytest.fixture(scope="module")
def ridge(trained: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    yield write(trained, "Ridge regression", tmp_path_factory.mktemp("ridge"))


@pytest.fixture(scope="module")
def boosted(trained: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    yield write(trained, "Boosted trees", tmp_path_factory.mktemp("boosted"))


def changed(written: Written, target: Path, change: Callable[[Members], None]) -> Path:
    """Write a copy of a model file whose members were changed."""
    with zipfile.ZipFile(written.path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    change(members)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target


def raw_test_rows(run: RunFolder) -> pd.DataFrame:
    return prepared_of(run.home, run.experiment()).test


# --- what is in it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [pytest.param("best", marks=pytest.mark.soak), "ridge", "boosted"])
def test_it_predicts_like_the_run(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    written: Written = request.getfixturevalue(which)
    pipeline, manifest = load_bundle(written.path, tmp_path)
    stored = load_predictions(written.run).predicted[written.exported.model]
    np.testing.assert_allclose(pipeline.predict(raw_test_rows(written.run)), stored, rtol=1e-5)
    assert [m.name for m in pipeline.models] == [manifest.model] == [written.exported.model]
    result = written.run.result()
    assert result is not None
    assert manifest.metrics == result.row(manifest.model)
    assert manifest.rows == result.rows
    assert (manifest.target, manifest.unit) == ("price", "$")


def test_what_was_written_is_told(best: Written) -> None:
    exported = best.exported
    assert exported.sha256 == sha256(best.path)
    # By which the home knows it again, wherever it was copied to.
    assert was_made(best.run.home, exported.sha256)
    assert exported.size_mb == best.path.stat().st_size / 1e6
    with zipfile.ZipFile(best.path) as archive:
        assert sorted(exported.members) == sorted(archive.namelist())
    assert exported.max_relative_difference <= 1e-5
    assert exported.reference_rows == len(pd.read_csv(best.unpacked / "reference.csv"))
    assert sorted(p.name for p in best.path.parent.iterdir()) == ["model.zip", "unpacked"]


def test_every_member_is_in_the_manifest_with_its_hash(best: Written) -> None:
    manifest = Manifest.model_validate_json((best.unpacked / MANIFEST).read_text())
    files = {str(p.relative_to(best.unpacked)) for p in best.unpacked.rglob("*") if p.is_file()}
    assert set(manifest.files) == files - {MANIFEST}
    assert all(sha256(best.unpacked / name) == digest for name, digest in manifest.files.items())
    assert not [name for name in files if "__pycache__" in name or name.endswith(".pyc")]


def test_reference_rows_are_the_first_test_rows(best: Written) -> None:
    table = pd.read_csv(best.unpacked / "reference.csv")
    rows = raw_test_rows(best.run).iloc[:5]
    np.testing.assert_allclose(table["size"], rows["size"])
    assert table["place"].tolist() == rows["place"].tolist()
    stored = load_predictions(best.run).predicted[best.exported.model][:5]
    np.testing.assert_allclose(table["expected_prediction"], stored, rtol=1e-5)


def test_nothing_in_it_tells_of_this_machine(best: Written) -> None:
    for name in ("README.md", "requirements.txt", MANIFEST, "predict.py", "model/pipeline.json"):
        text = (best.unpacked / name).read_text()
        assert str(best.run.home) not in text
        assert str(Path.home()) not in text or str(Path.home()) == "/"


@pytest.mark.parametrize("which", ["best", "ridge"])
def test_the_model_card_has_front_matter_that_parses(which: str, request: pytest.FixtureRequest) -> None:
    written: Written = request.getfixturevalue(which)
    _, front, body = (written.unpacked / "README.md").read_text().split("---\n", 2)
    card = yaml.safe_load(front)
    assert card["pipeline_tag"] == "tabular-regression"
    (entry,) = card["model-index"]
    assert entry["name"] == written.run.experiment().name
    result = written.run.result()
    assert result is not None
    row = result.row(written.exported.model)
    figures = {m["type"]: m["value"] for m in entry["results"][0]["metrics"]}
    assert figures == pytest.approx({"rmse": row.rmse, "mae": row.mae, "r_squared": row.r2}, rel=1e-5)
    assert "{" not in body
    for name in ("size", "place", "built"):
        assert f"| {name} |" in body
    assert "| id |" not in body, "the models don't see it"


@pytest.mark.parametrize(
    "families", [{"FEEDFORWARD"}, {"NN_TORCH"}, {"FASTAI", "REALMLP", "TABM"}, {"RIDGE"}, {"BOOSTED"}]
)
def test_requirements_are_exact_public_versions(families: set[str]) -> None:
    lines = requirements_for(families)
    assert len(set(lines)) == len(lines)
    for line in lines:
        requirement = Requirement(line)
        assert requirement.url is None
        assert [s.operator for s in requirement.specifier] == ["=="]
        assert "+" not in line
        assert "/" not in line
    names = {Requirement(line).name for line in lines}
    assert {"pandas", "numpy", "scikit-learn", "joblib", "pyarrow"} <= names
    assert ("torch" in names) == (not families & {"RIDGE", "BOOSTED"})
    assert ("autogluon.tabular" in names or "autogluon-tabular" in names) == ("torch" in names)
    assert ("catboost" in names) == (families == {"BOOSTED"})
    assert ("torchvision" in names) == ("REALMLP" in families)
    assert ("fastai" in names) == ("FASTAI" in families)
    # CatBoost asks for plotly.
    assert not names & ({"streamlit", "dlreg", "plotly", "shap"} - ({"plotly"} if families == {"BOOSTED"} else set()))


def test_boosted_trees_name_their_library(boosted: Written) -> None:
    manifest = Manifest.model_validate_json((boosted.unpacked / MANIFEST).read_text())
    lines = (boosted.unpacked / "requirements.txt").read_text().split()
    assert f"catboost=={manifest.versions['catboost']}" in lines
    assert not set(manifest.versions) & {"torch", "autogluon.tabular"}
    assert "The networks trained" not in (boosted.unpacked / "README.md").read_text()


def test_the_card_of_the_best_model_says_what_it_costs(best: Written) -> None:
    result = best.run.result()
    assert result is not None
    _, costs = worth_words(result)
    assert costs
    assert costs in (best.unpacked / "README.md").read_text()


# --- what is refused -------------------------------------------------------------------------------------------------


def tamper(members: Members) -> None:
    members["model/pipeline.json"] += b" "


def remove(members: Members) -> None:
    del members["reference.csv"]


def add(members: Members) -> None:
    members["model/more.pkl"] = b"x"


def reformat(members: Members) -> None:
    members[MANIFEST] = members[MANIFEST].replace(b'"dlreg-model"', b'"other-model"')


def later(members: Members) -> None:
    members[MANIFEST] = json.dumps(json.loads(members[MANIFEST]) | {"format_version": 2}).encode()


def nameless(members: Members) -> None:
    del members[MANIFEST]


def garbled(members: Members) -> None:
    members[MANIFEST] = b'{"format": '


def other_version(name: str, version: str) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        manifest = json.loads(members[MANIFEST])
        manifest["versions"][name] = version
        members[MANIFEST] = json.dumps(manifest).encode()

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (tamper, r"^The model file has a changed model/pipeline\.json\. Download it again"),
        (remove, r"^The model file lacks reference\.csv\. Download"),
        (add, r"^The model file has the unknown member model/more\.pkl\. Download"),
        (reformat, r"^The model file has the format other-model 1, and this program reads dlreg-model 1\. Use"),
        (later, r"format dlreg-model 2, and this program reads dlreg-model 1\."),
        (nameless, r"^The file has no readable manifest\. Choose"),
        (garbled, r"^The file has no readable manifest\. Choose"),
        (other_version("python", "3.5"), r"needs other versions: python 3\.5 was used, 3\.\d+ is here\. Install"),
        (other_version("scikit-learn", "0.1"), r"needs other versions: scikit-learn 0\.1 was used, 1\.\S+ is here\."),
        (other_version("autogluon.tabular", "9"), r"needs other versions: autogluon\.tabular 9 was used"),
    ],
)
def test_damaged_and_foreign_files_are_refused(
    ridge: Written, tmp_path: Path, change: Callable[[Members], None], sentence: str
) -> None:
    path = changed(ridge, tmp_path / "m.zip", change)
    with pytest.raises(BundleError, match=sentence):
        load_bundle(path, tmp_path / "out")


def test_versions_that_do_no_harm_are_no_hindrance(ridge: Written, tmp_path: Path) -> None:
    path = changed(ridge, tmp_path / "m.zip", other_version("pandas", "0.1"))
    load_bundle(path, tmp_path / "out")
    assert version_differences({"pandas": "0.1", "no-such-package": "1"}) == (
        [],
        [f"pandas 0.1 was used, {pd.__version__} is here", "no-such-package 1 was used, none is here"],
    )


@pytest.mark.parametrize("name", ["../evil.txt", "/tmp/evil.txt", "a/../../evil.txt", "C:\\evil.txt", "\\\\evil"])
def test_members_that_would_land_elsewhere_are_refused(ridge: Written, tmp_path: Path, name: str) -> None:
    path = changed(ridge, tmp_path / "m.zip", lambda members: members.update({name: b"x"}))
    with pytest.raises(BundleError, match="would land outside its folder"):
        load_bundle(path, tmp_path / "in" / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["m.zip"], "nothing was unpacked"


def test_links_are_refused(ridge: Written, tmp_path: Path) -> None:
    shutil.copy(ridge.path, tmp_path / "m.zip")
    link = zipfile.ZipInfo("model/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "m.zip", "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BundleError, match="would land outside"):
        load_bundle(tmp_path / "m.zip", tmp_path / "out")


def test_too_much_is_refused(ridge: Written, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        for number in range(20_001):
            archive.writestr(f"f{number}", b"")
    with pytest.raises(BundleError, match="unpacks to more than any model"):
        load_bundle(tmp_path / "m.zip", tmp_path / "out")


@pytest.mark.parametrize("kind", ["absent", "folder", "text", "half", "bits"])
def test_what_is_no_zip_is_refused(ridge: Written, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "m.zip"
    whole = ridge.path.read_bytes()
    if kind == "folder":
        path.mkdir()
    elif kind != "absent":
        broken = bytearray(whole)
        for place in range(2000, 6000, 7):
            broken[place] ^= 0xFF
        path.write_bytes({"text": b"a,b\n1,2\n", "half": whole[: len(whole) // 2], "bits": bytes(broken)}[kind])
    with pytest.raises(BundleError, match=r"^m\.zip is no readable model file\. Choose"):
        load_bundle(path, tmp_path / "out")


def test_what_can_not_be_written_is_told(trained: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="has no model 'XGBoost'"):
        write_bundle(trained, "XGBoost", tmp_path / "m.zip")
    empty = RunFolder(tmp_path / "runs" / "empty")
    shutil.copytree(trained.path, empty.path, ignore=shutil.ignore_patterns("result.json", "model"))
    with pytest.raises(ConflictError, match="has no models to export"):
        write_bundle(empty, None, tmp_path / "m.zip")
    assert not (tmp_path / "m.zip").exists()


# --- its own script --------------------------------------------------------------------------------------------------


def call(folder: Path, *arguments: str, cwd: Path, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """Run a bundle's script as a stranger would, from another folder and without this checkout on the path."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "DLREG_HOME")}
    return subprocess.run(
        [python, str(folder / "predict.py"), *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_the_script_predicts_like_the_run_with_the_code_that_it_carries(best: Written, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(best.unpacked, folder)
    raw_test_rows(best.run).to_csv(tmp_path / "rows.csv", index=False)
    found = call(folder, "rows.csv", "out.csv", cwd=tmp_path)
    assert (found.returncode, found.stdout) == (0, ""), found.stderr
    out = pd.read_csv(tmp_path / "out.csv")
    stored = load_predictions(best.run).predicted[best.exported.model]
    np.testing.assert_allclose(out["prediction"], stored, rtol=1e-5)
    assert list(out.columns) == [*raw_test_rows(best.run).columns, "prediction", "low", "high"]
    assert not list(folder.rglob("__pycache__"))
    # Which code answered: the script is run inside a process that tells.
    tell = (
        "import runpy, sys; sys.argv = ['predict.py', '--check'];"
        "\ntry: runpy.run_path(sys.argv.pop(0) and PATH, run_name='__main__')"
        "\nexcept SystemExit as end: code = end.code"
        "\nimport dlreg_core, dlreg_core.pipeline.fitted_pipeline as p"
        "\nprint(code, dlreg_core.__file__, p.__file__, 'streamlit' in sys.modules, 'shap' in sys.modules)"
    ).replace("sys.argv.pop(0) and PATH", repr(str(folder / "predict.py")))
    told = subprocess.run(
        [sys.executable, "-c", tell], cwd=tmp_path, capture_output=True, text=True, timeout=200, check=True
    ).stdout.splitlines()
    runtime = folder.resolve() / "runtime" / "dlreg_core"
    wanted = f"0 {runtime / '__init__.py'} {runtime / 'pipeline' / 'fitted_pipeline.py'} False False"
    assert told[-1] == wanted
    assert "5 reference rows were reproduced" in told[0]


def test_the_script_gives_the_intervals_of_the_run(trained: RunFolder, tmp_path: Path) -> None:
    run = copied(trained, tmp_path / "home")
    pipeline = Pipeline(run.model_path())
    varying = PredictionInterval(
        factor=2.0,
        scale=TargetTransform(method="log"),
        floor=1500.0,
        knots=(np.log(1000.0), np.log(2000.0)),
        spreads=(0.1, 0.3),
        least=1200.0,
    )
    pipeline.settle(pipeline.best_model, {model.name: varying for model in pipeline.models})
    written = write(run, "Ridge regression", tmp_path)
    raw_test_rows(run).to_csv(tmp_path / "rows.csv", index=False)
    found = call(written.unpacked, "rows.csv", "out.csv", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    out = pd.read_csv(tmp_path / "out.csv")
    raised = np.maximum(out["prediction"], 1500.0)
    reach = 2.0 * (0.1 + 0.2 * np.log(raised / 1000.0).clip(0, np.log(2)) / np.log(2))
    low = np.minimum(np.maximum(raised * np.exp(-reach), 1200.0), out["prediction"])
    np.testing.assert_allclose(out["low"], low, rtol=1e-9)
    np.testing.assert_allclose(out["high"], np.maximum(raised * np.exp(reach), 1200.0), rtol=1e-9)
    predicted = pipeline.predicted(raw_test_rows(run), "Ridge regression")
    np.testing.assert_allclose(out[["prediction", "low", "high"]], predicted, rtol=1e-9)
    loaded, _ = load_bundle(written.path, tmp_path / "loaded")
    np.testing.assert_allclose(loaded.predicted(raw_test_rows(run)), predicted, rtol=1e-9)


def test_models_of_earlier_versions_keep_their_constant_intervals(trained: RunFolder, tmp_path: Path) -> None:
    run = copied(trained, tmp_path / "home")
    path = run.model_path() / "pipeline.json"
    spec = json.loads(path.read_text())
    for model in spec["models"]:
        del model["interval_90"]
        model["half_width_90"] = 30.0
    path.write_text(json.dumps(spec))
    pipeline = Pipeline(run.model_path())
    for model in pipeline.models:
        found = pipeline.predicted(raw_test_rows(run), model.name)
        np.testing.assert_allclose(found["low"], found["prediction"] - 30)
        np.testing.assert_allclose(found["high"], found["prediction"] + 30)


def copied(run: RunFolder, home: Path) -> RunFolder:
    """Return a copy of a run that may be changed, in a home of its own."""
    shutil.copytree(run.home, home)
    return RunFolder(home / "runs" / run.id)


def test_the_script_tells_what_is_wrong(ridge: Written, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(ridge.unpacked, folder)
    rows = raw_test_rows(ridge.run).iloc[:3]
    rows.assign(size=1e6, place="never").to_csv(tmp_path / "odd.csv", index=False)
    odd = call(folder, "odd.csv", "out.csv", cwd=tmp_path)
    assert odd.returncode == 0
    assert len(odd.stderr.splitlines()) == 2, odd.stderr
    assert "size: 3 values lie outside" in odd.stderr
    assert "1 level was never seen in training (never)" in odd.stderr
    assert call(folder, cwd=tmp_path).returncode == 2
    rows.drop(columns="size").to_csv(tmp_path / "short.csv", index=False)
    short = call(folder, "short.csv", "out.csv", cwd=tmp_path)
    assert short.returncode == 2
    assert "no column size" in short.stderr
    absent = call(folder, "nowhere.csv", "out.csv", cwd=tmp_path)
    assert absent.returncode == 2
    assert len(absent.stderr.splitlines()) == 1
    (folder / "model" / "pipeline.json").write_text("{}")
    (folder / "README.md").unlink()
    damaged = call(folder, "--check", cwd=tmp_path)
    assert damaged.returncode == 1
    assert "README.md is missing; model/pipeline.json was changed" in damaged.stderr


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("which", ["best", "ridge"])
def test_a_fresh_environment_made_of_its_own_requirements_predicts_the_same(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    written: Written = request.getfixturevalue(which)
    python = str(tmp_path / "venv" / "bin" / "python")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    for command in (
        ["uv", "venv", "-q", "--python", version, str(tmp_path / "venv")],
        ["uv", "pip", "install", "-q", "--python", python, "-r", str(written.unpacked / "requirements.txt")],
    ):
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=800)
    raw_test_rows(written.run).to_csv(tmp_path / "rows.csv", index=False)
    checked = call(written.unpacked, "--check", cwd=tmp_path, python=python)
    assert (checked.returncode, checked.stderr) == (0, "")
    found = call(written.unpacked, "rows.csv", "out.csv", cwd=tmp_path, python=python)
    assert found.returncode == 0, found.stderr
    stored = load_predictions(written.run).predicted[written.exported.model]
    np.testing.assert_allclose(pd.read_csv(tmp_path / "out.csv")["prediction"], stored, rtol=1e-5)
