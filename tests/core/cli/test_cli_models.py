"""The command `dlreg models`: what there is, and one sentence where something is in the way."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dlreg_core.cli.application import app
from dlreg_core.errors import ConflictError, PlanError
from dlreg_core.networks import FAMILIES, PRETRAINED
from dlreg_core.pretrained_weights import open_weights
from dlreg_core.pretrained_weights import weight_store as module

KEYS = {
    "key",
    "title",
    "summary",
    "paper",
    "pretrained",
    "default",
    "code_licence",
    "weights_licence",
    "commercial",
    "condition",
    "download_mb",
    "source",
    "files",
    "needs_gpu",
    "most_rows",
    "most_rows_cpu",
    "most_columns",
    "quantiles",
    "settings",
    "state",
    "reason",
    "folder",
    "sha256",
}


@pytest.fixture(autouse=True)
def everything_is_installed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: object())
    monkeypatch.setenv("COLUMNS", "160")


def call(*arguments: str) -> str:
    found = CliRunner().invoke(app, ["models", *arguments], catch_exceptions=False)
    assert found.exit_code == 0
    return found.stdout


def test_the_table_names_all_networks_and_what_is_in_their_way() -> None:
    told = call()
    for known in (*FAMILIES, *PRETRAINED):
        assert known.title in told
        assert known.key in told
    assert "TabICL, Mitra, TabDPT, Nori: nobody has allowed downloads yet" in told
    assert "TabPFN 3: its licence isn't accepted: tabpfn-3-license-v1.0" in told


def test_as_json_all_networks_have_the_same_keys(tmp_path: Path) -> None:
    listed = json.loads(call("--json", "--weights-dir", str(tmp_path / "w")))
    assert [row["key"] for row in listed] == [known.key for known in (*FAMILIES, *PRETRAINED)]
    assert all(set(row) == KEYS for row in listed)
    rows = {row["key"]: row for row in listed}
    assert rows["TABICL"]["folder"] == str(tmp_path / "w" / "TABICL")
    assert (rows["TABPFN-3"]["commercial"], rows["TABPFN-3"]["state"]) == (False, "licence not accepted")
    assert rows["TABM"]["state"] == "trained here"


def test_a_licence_is_accepted_in_the_name_of_who_is_signed_in() -> None:
    call("--accept-licence", "tabpfn-3")
    acceptance = open_weights().accepted("TABPFN-3")
    assert acceptance is not None
    assert acceptance.who == getpass.getuser()


def test_files_that_are_there_are_noted_instead_of_fetched(tmp_path: Path) -> None:
    folder = tmp_path / "w" / "NORI"
    folder.mkdir(parents=True)
    (folder / "nori.pt").write_bytes(b"weights")
    listed = json.loads(call("--fetch", "nori", "--weights-dir", str(tmp_path / "w"), "--json"))
    row = next(row for row in listed if row["key"] == "NORI")
    assert row["state"] == "on disk"
    assert len(row["sha256"]["nori.pt"]) == 64


@pytest.mark.parametrize(
    ("arguments", "kind", "told"),
    [
        (("--fetch", "TABPFN-3"), ConflictError, "Nobody has accepted the licence of TabPFN 3"),
        (("--fetch", "TABM"), PlanError, "There is no pre-trained network called TABM"),
        (("--accept-licence", "TABICL"), ConflictError, "there is no need"),
    ],
)
def test_what_can_not_be_done_is_said(arguments: tuple[str, ...], kind: type[Exception], told: str) -> None:
    found = CliRunner().invoke(app, ["models", *arguments])
    assert isinstance(found.exception, kind)
    assert told in str(found.exception)
