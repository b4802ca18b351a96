"""A home is its owner's, and the processes that dlreg starts are given what they need of its environment, no more."""

from __future__ import annotations

import ast
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlreg_core.errors import WorkError
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.jobs import LocalProcesses, local_processes
from dlreg_core.jobs.child_environment import module_environment, passed_on
from dlreg_core.jobs.reading import reader_client
from dlreg_core.networks import default_plan
from dlreg_core.runs import keep_private, open_home, open_store
from dlreg_core.scoring import client
from dlreg_core.scoring.client import Scorer
from dlreg_core.settings import Settings
from dlreg_core.specs import Experiment, Recipe
from tests.conftest import ROOT, small_table

pytestmark = pytest.mark.skipif(os.name != "posix", reason="rights of files are told otherwise")

SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "s3",
    "GITHUB_TOKEN": "gh",
    "DATABASE_URL": "postgres://u:p@h/d",
    "DLREG_DATABASE": "postgresql://u:p@h/d",
    "SSH_AUTH_SOCK": "/tmp/agent",
    "HTTPS_PROXY": "http://u:p@proxy",
    "HF_TOKEN": "hf",
    "MY_PASSWORD": "p",
}
NEEDED = {
    "PATH": "/usr/bin",
    "HOME": "/home/a",
    "TMPDIR": "/scratch",
    "LC_NUMERIC": "de_DE.UTF-8",
    "LANG": "de_DE.UTF-8",
    "LD_LIBRARY_PATH": "/opt/cuda/lib64",
    "OPENBLAS_CORETYPE": "HASWELL",
    "OMP_NUM_THREADS": "2",
    "CUDA_VISIBLE_DEVICES": "0",
    "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
    "PYTHONPATH": "/somewhere",
    "DLREG_HOME": "/data",
}


def experiment() -> Experiment:
    recipe = Recipe(target="y", features=("a",))
    return Experiment(name="e", dataset_id="0" * 16, dataset_name="d", recipe=recipe, plan=default_plan())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask() -> Iterator[None]:
    """Give the process' own mask back, whatever the test sets."""
    before = os.umask(0o022)
    yield
    os.umask(before)


# --- rights -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("umask")
def test_a_new_home_is_its_owners_alone(tmp_path: Path) -> None:
    assert mode(open_home(tmp_path / "a" / "home")) == 0o700


@pytest.mark.usefixtures("umask")
def test_an_older_home_is_closed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "runs").mkdir(parents=True)
    home.chmod(0o755)
    open_store(Settings(home=home))
    assert mode(home) == 0o700


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize(("rights", "name"), [(0o1777, ""), (0o1777, "runs"), (0o755, "letters")])
def test_a_folder_of_other_things_is_left_as_it_is(tmp_path: Path, rights: int, name: str) -> None:
    home = tmp_path / "tmp"
    home.mkdir()
    if name:
        (home / name).mkdir()
    home.chmod(rights)
    open_home(home)
    assert mode(home) == rights


@pytest.mark.usefixtures("umask")
def test_nothing_in_a_home_can_be_read_by_others(tmp_path: Path) -> None:
    keep_private()
    home = tmp_path / "home"
    store = open_store(Settings(home=home))
    DatasetStore(home).add(small_table().to_csv(index=False).encode(), "t.csv")
    with store.create(experiment()).train_task().hold():
        pass
    made = [home, *home.rglob("*")]
    assert len(made) > 12
    assert [path for path in made if mode(path) & 0o077] == []


@pytest.mark.parametrize(
    "module", ["dlreg_core.cli.application", "dlreg_core.scoring.server", "dlreg_core.worker.__main__", "app"]
)
def test_every_process_of_ours_sets_its_mask_first(module: str) -> None:
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())
    functions = [f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)]
    entry = next(f for f in functions if f.name in ("main", "lifespan"))
    # After the docstring.
    assert ast.unparse(entry.body[1]) == "keep_private()"


def test_a_command_makes_what_only_its_owner_reads(tmp_path: Path) -> None:
    small_table(60).to_csv(tmp_path / "t.csv", index=False)
    environment = {**os.environ, "DLREG_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "dlreg_core.cli", "runs"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, umask=0)
    assert mode(tmp_path / "home") == 0o700
    assert [path for path in (tmp_path / "home").rglob("*") if mode(path) & 0o077] == []


def test_a_home_that_can_not_be_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    # The root user may write everywhere but on a disk that is read-only, of which this is the answer.
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != home)
    with pytest.raises(WorkError, match="Nothing can be written into") as told:
        open_store(Settings(home=home))
    assert "DLREG_HOME" in told.value.hint
    monkeypatch.undo()
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkError, match="can't be made"):
        open_home(tmp_path / "file" / "home")


# --- the environment --------------------------------------------------------------------------------------------------


def test_what_is_needed_is_passed_on_and_nothing_else() -> None:
    assert passed_on(NEEDED | SECRETS) == NEEDED
    fetching = passed_on(NEEDED | SECRETS, fetches=True)
    assert fetching == NEEDED | {name: SECRETS[name] for name in ("HTTPS_PROXY", "HF_TOKEN")}


def test_a_process_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    command = [sys.executable, "-c", "import json, os, dlreg_core; print(json.dumps(dict(os.environ)))"]
    found = json.loads(subprocess.run(command, env=module_environment(), capture_output=True, check=True).stdout)
    assert not SECRETS.keys() & found.keys()
    assert not {"s3", "gh", "hf"} & set(found.values())


class _Started(Exception):  # noqa: N818 - it ends the call in which a process would have been started
    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment


def test_none_of_the_processes_is_given_the_whole_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = open_store(Settings(home=tmp_path / "home")).create(experiment()).train_task()
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)

    def popen(*_: object, env: dict[str, str], **__: object) -> None:
        raise _Started(env)

    starts = {
        "worker": lambda: LocalProcesses().launch(task, None),
        "standing by": lambda: LocalProcesses().stand_by(None),
        "scorer": lambda: Scorer().predict_file(task.run, tmp_path, tmp_path),
        "reader": reader_client.Readers().prepare,
    }
    for module in (local_processes, client, reader_client):
        monkeypatch.setattr(module.subprocess, "Popen", popen)
    allowed = {"worker": {"HF_TOKEN", "HTTPS_PROXY"}, "standing by": {"HF_TOKEN", "HTTPS_PROXY"}}
    for who, start in starts.items():
        with pytest.raises(_Started) as caught:
            start()
        assert SECRETS.keys() & caught.value.environment.keys() == allowed.get(who, set()), who
