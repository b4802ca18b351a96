"""Weights on the disk: what there is, under which licence, and how they are fetched from a hub that runs here."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from dlreg_core.errors import ConflictError, FetchError, PlanError
from dlreg_core.networks import PRETRAINED, pretrained
from dlreg_core.pretrained_weights import Weights, WeightStatus, open_weights
from dlreg_core.pretrained_weights import weight_store as module
from dlreg_core.settings import Settings

CONTENT = b"weights" * 1000


class Hub(ThreadingHTTPServer):
    """Hands out files as the hub does, and remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[str] = []
        self.status = 200


class _Answers(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._head()

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self._head()
        if self.server.status == 200:
            self.wfile.write(CONTENT)

    def _head(self) -> None:
        self.send_response(self.server.status)
        if self.server.status == 403:
            self.send_header("X-Error-Code", "GatedRepo")
        self.send_header("ETag", f'"{hashlib.sha256(CONTENT).hexdigest()}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    found = Hub()
    Thread(target=found.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{found.server_port}")
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture(autouse=True)
def all_installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Let all packages seem to be there, but those of a set."""
    missing: set[str] = set()
    monkeypatch.setattr(module, "find_spec", lambda name: None if name in missing else object())
    return missing


def store(tmp_path: Path, downloads: Any = "ask") -> Weights:
    return Weights(tmp_path / "home", tmp_path / "weights", downloads)


def put(weights: Weights, key: str, content: bytes = CONTENT) -> None:
    weights.folder_of(key).mkdir(parents=True)
    for name in pretrained(key).files:
        (weights.folder_of(key) / name).write_bytes(content)


def test_nothing_is_usable_until_downloads_are_allowed_or_files_are_there(tmp_path: Path) -> None:
    weights = store(tmp_path)
    assert weights.state("TABICL").status is WeightStatus.NO_DOWNLOADS
    assert "nobody has allowed downloads yet" in weights.state("TABICL").words
    put(weights, "MITRA")
    assert weights.state("mitra").status is WeightStatus.ON_DISK
    weights.allow_downloads("Ada")
    assert weights.state("TABICL").status is WeightStatus.ABSENT
    assert weights.state("TABICL").usable
    # The answer is kept.
    assert store(tmp_path).downloads == "yes"
    store(tmp_path).allow_downloads("Ada", allowed=False)
    assert store(tmp_path).downloads == "no"
    kept = json.loads((tmp_path / "home" / "consent.json").read_text())
    assert kept["downloads"]["who"] == "Ada"
    assert kept["downloads"]["when"].startswith("20")


@pytest.mark.parametrize(("setting", "status"), [("yes", WeightStatus.ABSENT), ("no", WeightStatus.NO_DOWNLOADS)])
def test_what_the_administrator_says_stands_above_the_answer(
    tmp_path: Path, setting: str, status: WeightStatus
) -> None:
    store(tmp_path).allow_downloads("Ada", allowed=setting == "no")
    weights = store(tmp_path, setting)
    assert weights.state("NORI").status is status
    with pytest.raises(ConflictError, match="DLREG_ALLOW_DOWNLOADS"):
        weights.allow_downloads("Ada")


@pytest.mark.parametrize("key", [known.key for known in PRETRAINED if known.asks_consent])
def test_a_licence_that_asks_keeps_its_weights_off_until_it_is_accepted(key: str, tmp_path: Path) -> None:
    weights = store(tmp_path, "yes")
    put(weights, key)
    assert weights.state(key).status is WeightStatus.NO_LICENCE
    assert pretrained(key).weights_licence in weights.state(key).words
    with pytest.raises(ConflictError, match="accept-licence"):
        weights.fetch(key)
    weights.accept_licence(key, "Ada")
    assert store(tmp_path).state(key).status is WeightStatus.ON_DISK
    acceptance = store(tmp_path).accepted(key)
    assert acceptance is not None
    assert (acceptance.who, acceptance.licence) == ("Ada", pretrained(key).weights_licence)
    # Another version of the licence has to be accepted anew.
    path = tmp_path / "home" / "consent.json"
    path.write_text(path.read_text().replace(pretrained(key).weights_licence, "an older licence"))
    assert store(tmp_path).state(key).status is WeightStatus.NO_LICENCE


def test_a_free_licence_asks_nobody(tmp_path: Path) -> None:
    with pytest.raises(ConflictError, match="free to use"):
        store(tmp_path).accept_licence("TABICL", "Ada")
    with pytest.raises(PlanError, match="no pre-trained network called TABM"):
        store(tmp_path).state("TABM")


def test_a_missing_package_is_said_first(tmp_path: Path, all_installed: set[str]) -> None:
    all_installed.add("tabpfn")
    state = store(tmp_path).state("TABPFN-3")
    assert state.status is WeightStatus.NO_PACKAGE
    assert state.words.startswith("not installed: ")
    assert not state.usable


def test_weights_are_fetched_once_with_their_checksums(hub: Hub, tmp_path: Path) -> None:
    weights, told = store(tmp_path, "yes"), []
    folder = weights.fetch("MITRA", lambda *figures: told.append(figures))
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", "weights.json"]
    assert [(folder / name).read_bytes() for name in pretrained("MITRA").files] == [CONTENT, CONTENT]
    assert told[-1] == ("model.safetensors", len(CONTENT), len(CONTENT))
    state = weights.state("MITRA")
    assert state.status is WeightStatus.ON_DISK
    assert set(state.sha256.values()) == {hashlib.sha256(CONTENT).hexdigest()}
    assert any("/autogluon/mitra-regressor/resolve/main/model.safetensors" in path for path in hub.asked)
    count = len(hub.asked)
    weights.fetch("MITRA")
    assert len(hub.asked) == count
    # Nothing of the fetching is left.
    assert sorted(p.name for p in weights.folder.iterdir()) == [".MITRA.lock", "MITRA"]


def test_files_that_were_put_there_by_hand_are_taken_and_noted(tmp_path: Path) -> None:
    weights = store(tmp_path, "no")
    put(weights, "NORI")
    assert weights.state("NORI").sha256 == {}
    weights.fetch("NORI")
    assert weights.state("NORI").sha256 == {"nori.pt": hashlib.sha256(CONTENT).hexdigest()}


def test_files_that_have_changed_are_not_used(tmp_path: Path) -> None:
    weights = store(tmp_path, "yes")
    put(weights, "NORI")
    weights.fetch("NORI")
    file = weights.folder_of("NORI") / "nori.pt"
    file.write_bytes(CONTENT[::-1])
    with pytest.raises(FetchError, match="have changed"):
        weights.fetch("NORI")
    file.write_bytes(CONTENT[:-1])
    assert weights.state("NORI").status is WeightStatus.DAMAGED
    assert not weights.state("NORI").usable


def test_without_a_way_there_one_sentence_says_which_file_and_where_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
        weights = store(tmp_path, "yes")
        with pytest.raises(FetchError) as caught:
            weights.fetch("TABICL")
    assert caught.value.message == (
        "tabicl-regressor-v2-20260212.ckpt of TabICL could not be fetched from huggingface.co/jingang/TabICL."
    )
    assert f"put it into {weights.folder / 'TABICL'}." in caught.value.hint
    assert caught.value.__cause__ is not None
    assert [path.name for path in weights.folder.iterdir()] == [".TABICL.lock"]


def test_a_hub_that_wants_a_sign_in_is_told_as_such(hub: Hub, tmp_path: Path) -> None:
    hub.status = 403
    weights = store(tmp_path, "yes")
    weights.accept_licence("TABPFN-3", "Ada")
    with pytest.raises(FetchError, match="signed in") as caught:
        weights.fetch("TABPFN-3")
    assert "HF_TOKEN" in caught.value.hint


def test_a_refusal_of_downloads_says_where_to_put_the_files(tmp_path: Path) -> None:
    weights = store(tmp_path, "no")
    with pytest.raises(ConflictError, match="may not be fetched") as caught:
        weights.fetch("NORI")
    assert str(weights.folder / "NORI") in caught.value.hint


def test_the_settings_name_the_folder_and_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_HOME", str(tmp_path / "home"))
    assert open_weights().folder == tmp_path / "home" / "weights"
    monkeypatch.setenv("DLREG_WEIGHTS_DIR", str(tmp_path / "shared"))
    monkeypatch.setenv("DLREG_ALLOW_DOWNLOADS", "no")
    weights = open_weights()
    assert (weights.folder, weights.downloads) == (tmp_path / "shared", "no")
    assert Settings(home=tmp_path).weights_folder == tmp_path / "shared"
