"""The package: pins that agree, a wheel that holds the app, and an installed copy that serves from any folder."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import tomllib
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT, wait_for

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(["uv", "build", "--wheel", "--quiet", "-o", str(out)], cwd=ROOT, check=True)
    return next(out.glob("*.whl"))


def test_constraints_file_and_uv_section_agree() -> None:
    listed = PROJECT["tool"]["uv"]["constraint-dependencies"]
    assert listed == (ROOT / "constraints.txt").read_text().split("\n")[:-1]
    assert len(listed) > 150


def test_every_pin_is_exact_and_names_no_address() -> None:
    for pin in PROJECT["tool"]["uv"]["constraint-dependencies"]:
        assert re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,-]+\])?==[A-Za-z0-9.]+( ; .+)?", pin), pin
    for name in ("pyproject.toml", "constraints.txt"):
        assert "://" not in (ROOT / name).read_text()


def test_every_installed_package_is_pinned() -> None:
    names = {re.split(r"[=\[ ]", pin)[0] for pin in PROJECT["tool"]["uv"]["constraint-dependencies"]}
    listed = subprocess.run(
        ["uv", "pip", "freeze", "--exclude-editable"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    installed = {line.split("==")[0] for line in listed.stdout.split() if "==" in line}
    assert installed - names <= {"pip", "setuptools", "wheel", "uv"}


def test_wheel_holds_the_app_and_pins_what_matters(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        members = set(archive.namelist())
        metadata = next(archive.read(name).decode() for name in members if name.endswith("METADATA"))
    pages = {f"dlreg_core/_front/pages/{path.name}" for path in (ROOT / "pages").glob("*.py")}
    samples = {f"dlreg_core/_front/assets/samples/{path.name}" for path in (ROOT / "assets/samples").iterdir()}
    assert pages | samples <= members
    assert {
        "dlreg_core/_front/app.py",
        "dlreg_core/_front/.streamlit/config.toml",
        "dlreg_core/_front/constraints.txt",
        "dlreg_core/model_file/predict_script.py",
    } <= members
    required = re.findall(r"^Requires-Dist: (.+)$", metadata, re.MULTILINE)
    for name in ("autogluon-tabular", "torch", "torchvision", "streamlit"):
        assert any(
            re.match(rf"{name}(\[.*\])?==\d", line.replace("autogluon.tabular", "autogluon-tabular"))
            for line in required
        ), name


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Tell whether an address answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def check_serves(command: list[str], cwd: Path, home: Path) -> None:
    """Start a server, and see that the app, a deep link into it and the HTTP API answer."""
    port = free_port()
    environment = {**os.environ, "DLREG_HOME": str(home), "STREAMLIT_SERVER_PORT": str(port)}
    command = [*command, *(["--port", str(port)] if command[0].endswith("dlreg") else [])]
    with (home.parent / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=cwd, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(lambda: answers(f"http://127.0.0.1:{port}/_stcore/health") or server.poll() is not None, 120)
            assert server.poll() is None, (home.parent / "server.log").read_text()
            assert answers(f"http://127.0.0.1:{port}/runs")
            assert answers(f"http://127.0.0.1:{port}/api/networks/TABM")
        finally:
            server.terminate()
            server.wait(timeout=20)


def test_serves_with_dlreg_and_with_streamlit(tmp_path: Path) -> None:
    scripts = Path(os.environ.get("VIRTUAL_ENV", ROOT / ".venv")) / "bin"
    check_serves([str(scripts / "dlreg"), "serve"], tmp_path, tmp_path / "home")
    check_serves([str(scripts / "streamlit"), "run", "app.py"], ROOT, tmp_path / "home")


def test_warns_about_other_addresses(tmp_path: Path) -> None:
    scripts = Path(os.environ.get("VIRTUAL_ENV", ROOT / ".venv")) / "bin"
    log = tmp_path / "log"
    with log.open("w") as file:
        command = [str(scripts / "dlreg"), "serve", "--host", "0.0.0.0", "--port", str(free_port())]
        server = subprocess.Popen(
            command, cwd=tmp_path, env={**os.environ, "DLREG_HOME": str(tmp_path / "h")}, stdout=file, stderr=file
        )
        try:
            wait_for(lambda: "no sign-in" in log.read_text() or server.poll() is not None, 60)
        finally:
            server.terminate()
            server.wait(timeout=20)
    assert "no sign-in" in log.read_text()


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_installed_wheel_serves_from_any_folder(wheel: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run(["uv", "venv", "--quiet", str(venv)], check=True)
    install = [
        "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        str(venv),
        str(wheel),
        "-c",
        str(ROOT / "constraints.txt"),
    ]
    subprocess.run(install, check=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    check_serves([str(venv / "bin" / "dlreg"), "serve"], elsewhere, tmp_path / "home")
