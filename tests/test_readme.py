"""Every command in README runs, and every command and option is documented."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT, wait_for
from tests.test_packaging import answers, free_port

README = (ROOT / "README.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.strip().split("\n")]
NEEDS = pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed")


def run(command: str, home: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell command with a home of its own."""
    environment = {**os.environ, "DLREG_HOME": str(home), "UV_PROJECT": str(ROOT)}
    return subprocess.run(command, shell=True, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_readme_has_the_commands_that_are_tested_here() -> None:
    kinds = [re.sub(r"^(pip install uv && )?uv run ", "", command).split()[:2] for command in COMMANDS]
    assert kinds == [["dlreg", "serve"], ["pytest"], ["dlreg", "train"], ["dlreg", "predict"], ["dlreg", "runs"]]


@NEEDS
def test_first_command_serves_the_app(tmp_path: Path) -> None:
    port = free_port()
    environment = {**os.environ, "DLREG_HOME": str(tmp_path / "home")}
    with (tmp_path / "log").open("w") as log:
        command = f"exec bash -c '{COMMANDS[0]} --port {port}'"
        server = subprocess.Popen(
            command, shell=True, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            wait_for(lambda: answers(f"http://127.0.0.1:{port}/_stcore/health") or server.poll() is not None, 240)
            assert server.poll() is None, (tmp_path / "log").read_text()
        finally:
            os.killpg(server.pid, 15)
            server.wait(timeout=20)


@NEEDS
def test_second_command_finds_the_tests(tmp_path: Path) -> None:
    done = run(f"{COMMANDS[1]} --collect-only -q tests/core/evaluation", tmp_path, ROOT)
    assert done.returncode == 0, done.stdout[-2000:]


@NEEDS
@pytest.mark.soak
@pytest.mark.timeout(600)
def test_walk_through_on_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    for command in COMMANDS[2:]:
        done = run(command, tmp_path / "home", tmp_path)
        assert done.returncode == 0, done.stderr[-2000:]
    rows = len((ROOT / "assets/samples/concrete_strength.csv").read_text().strip().split("\n"))
    predictions = (tmp_path / "predictions.csv").read_text().strip().split("\n")
    assert len(predictions) == rows
    assert predictions[0].endswith(",prediction,low,high")
    assert "concrete_strength.csv" in done.stdout


def test_every_command_and_option_is_documented() -> None:
    from typer.main import get_command

    from dlreg_core.cli.application import app

    text = (ROOT / "docs/cli.md").read_text()
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        section = re.search(rf"^## `dlreg {name}\b.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        assert section is not None, name
        for parameter in command.params:
            option = next((o for o in parameter.opts if o.startswith("--")), None)
            assert option in (None, "--help") or option in section.group(), f"{name} {option}"


def test_every_setting_is_documented() -> None:
    from dlreg_core.settings import Settings

    pages = README + "".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))
    for name in Settings.model_fields:
        assert f"DLREG_{name.upper()}" in pages, name


def test_the_map_shows_every_room_as_it_describes_itself() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE))
    rooms = {}
    for face in (ROOT / "dlreg_core").glob("*/__init__.py"):
        words = ast.get_docstring(ast.parse(face.read_text()))
        assert words is not None, face
        rooms[face.parent.name] = words.splitlines()[0].rstrip(".")
    assert told == rooms


def test_no_room_is_too_full_and_no_module_too_long() -> None:
    for top in ("dlreg_core", "pages"):
        for folder in {path.parent for path in (ROOT / top).rglob("*.py")}:
            modules = list(folder.glob("*.py"))
            assert len([path for path in modules if path.name != "__init__.py"]) <= 16, folder
            for path in modules:
                assert len(path.read_text().splitlines()) <= 400, path


def test_no_two_modules_have_one_name() -> None:
    names = [path.stem for top in ("dlreg_core", "pages") for path in (ROOT / top).rglob("*.py")]
    twice = {name for name, count in Counter(names).items() if count > 1}
    # Each page and the front of a command line or a package are called alike on purpose.
    assert twice <= {"__init__", "__main__"}


def test_links_and_pictures_exist() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(((?!https?:)[^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
