"""The routes about networks: what the catalogue says, with all that can be chosen."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dlreg_core.api import routes_below
from dlreg_core.errors import PlanError
from dlreg_core.networks import FAMILIES, PRETRAINED, family, settings_of
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(Starlette(routes=routes_below()))


def chosen(key: str, row: dict[str, Any], value: Any) -> dict[str, Any]:
    """Return a value of a setting, with what it counts with."""
    needs = row["only_with"]
    return {row["name"]: value, **({needs["setting"]: needs["values"][0]} if needs else {})}


def test_all_networks_are_listed_with_the_same_keys(client: TestClient) -> None:
    rows = client.get("/api/networks").json()
    assert [row["key"] for row in rows] == [known.key for known in (*FAMILIES, *PRETRAINED)]
    assert {frozenset(row) for row in rows} == {frozenset(rows[0])}
    free = {row["key"]: (row["commercial"], row["default"]) for row in rows}
    assert free["TABICL"] == (True, True)
    assert free["TABPFN-3"] == (False, False)


def test_one_network_is_found_in_any_case(client: TestClient) -> None:
    rows = {row["key"]: row for row in client.get("/api/networks").json()}
    assert client.get("/api/networks/tabm").json() == rows["TABM"]


def test_a_network_that_is_not_there_is_said(client: TestClient) -> None:
    answer = client.get("/api/networks/XGB")
    assert answer.status_code == 404
    assert answer.json() == {"error": "There is no network called XGB; /api/networks lists them."}


@pytest.mark.parametrize("key", [known.key for known in FAMILIES])
def test_what_is_told_of_a_setting_is_what_is_accepted(client: TestClient, key: str) -> None:
    told = client.get(f"/api/networks/{key}").json()["settings"]
    assert [row["name"] for row in told] == [known.name for known in settings_of(key)]
    for row in told:
        assert (row["default"] is None) == (row["automatic"] is not None)
        good = row["choices"] or []
        bad: list[Any] = ["no such choice"]
        if row["kind"] in ("int", "float"):
            good, bad = [row["least"], row["most"]], [row["least"] - 1, row["most"] + 1]
        elif row["kind"] == "widths":
            good, bad = [[int(row["least"])], [int(row["most"])]], [[int(row["most"]) + 1], []]
        elif row["kind"] == "bool":
            good = [True, False]
        if row["default"] is not None:
            good = [*good, row["default"]]
        assert good
        for value in good:
            family(key).checked(chosen(key, row, value))
        for value in bad:
            with pytest.raises(PlanError):
                family(key).checked(chosen(key, row, value))


def test_a_setting_names_what_it_counts_with(client: TestClient) -> None:
    told = {row["name"]: row for row in client.get("/api/networks/FEEDFORWARD").json()["settings"]}
    assert told["warmup"]["only_with"] == {"setting": "schedule", "values": ["constant", "cosine"]}
    assert family("FEEDFORWARD").setting("warmup").only_with == ("schedule", ("constant", "cosine"))
    assert told["loss"]["only_with"] is None


def test_every_route_and_every_key_is_documented(client: TestClient) -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    assert re.findall(r"^## `GET (.+)`$", text, re.MULTILINE) == [
        route.path for route in routes_below() if "GET" in (route.methods or ())
    ]
    row = client.get("/api/networks/FEEDFORWARD").json()
    for name in (*row, *row["settings"][0]):
        assert f"`{name}`" in text, name
