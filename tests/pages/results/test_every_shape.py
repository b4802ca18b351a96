"""Every page opens on data and runs of every shape: small, without some of their parts, and with names of any kind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dlreg_core.runs import PartPredictions, RunFolder, load_predictions, save_predictions
from dlreg_core.runs.atomic_files import write_spec
from pages._ui.results import cached_results
from tests.conftest import add_table, small_table
from tests.pages.opening import copied, opened, texts

PAGES = ("data", "prepare", "train", "leaderboard", "diagnostics", "explain", "runs")
DETAILS = ("Worst rows", "Error against a column", "Learning curves")
NAMES = (
    "Driver's age",
    'the "size"',
    "a, b; c",
    "$x_1$ *y* `z` [a](b) <b>&amp;</b>",
    "('number', 'x')",
    "\N{SNOWMAN} = = 1",
    "long " * 2_000,
)


def one_epoch(run: RunFolder) -> None:
    """Leave the first epoch of each network, so that no curve has a verdict."""
    path = run.train_task().path / "events.jsonl"
    seen, kept = set(), []
    for line in path.read_text().splitlines():
        event = json.loads(line)
        model = event.get("data", {}).get("model")
        if event["kind"] != "epoch" or model not in seen:
            kept.append(line)
        if event["kind"] == "epoch":
            seen.add(model)
    path.write_text("\n".join(kept) + "\n")


def one_network(run: RunFolder) -> None:
    """Leave one network beside the baselines."""
    result = run.result()
    assert result is not None
    rows = tuple(row for row in result.leaderboard if row.role == "baseline" or row.model == "FastAI")
    less: dict[str, Any] = {
        "leaderboard": rows,
        "best_model": "FastAI",
        "ensemble_weights": {},
        "comparisons": (),
        "comparison": None,
    }
    write_spec(run.train_task().path / "result.json", result.model_copy(update=less))


def no_explanation(run: RunFolder) -> None:
    """Take the explanations away."""
    shutil.rmtree(run.train_task().path / "explanations", ignore_errors=True)


def two_test_rows(run: RunFolder) -> None:
    """Leave two test rows."""
    part = load_predictions(run)
    predicted = {model: values[:2] for model, values in part.predicted.items()}
    save_predictions(run.train_task(), "test", PartPredictions(part.rows[:2], part.actual[:2], predicted))


@pytest.mark.parametrize("shape", [one_epoch, one_network, no_explanation, two_test_rows])
def test_every_page_opens_on_a_run(trained: RunFolder, home: Path, shape: Callable[[RunFolder], None]) -> None:
    run = copied(trained, home)
    shape(run)
    for page in PAGES:
        app = opened(page, run=run.id)
        assert not app.exception, (page, app.exception[0].message)
        assert not app.error, (page, app.error[0].value)


@pytest.mark.parametrize("shape", [one_epoch, one_network, two_test_rows])
def test_all_of_diagnostics_opens_on_a_run(trained: RunFolder, home: Path, shape: Callable[[RunFolder], None]) -> None:
    run = copied(trained, home)
    shape(run)
    app = opened("diagnostics", run=run.id, model="FastAI")
    for part in DETAILS:
        app.session_state["details"] = part
        app.session_state["all_networks"] = True
        app.run()
        assert not app.exception, (part, app.exception[0].message)
        assert not app.error, (part, app.error[0].value)


def test_networks_without_a_verdict_have_a_table(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    one_epoch(run)
    assert all(curves.verdict.evidence is None for curves in cached_results.network_curves(run.id).values())
    app = opened("diagnostics", run=run.id)
    app.session_state["details"] = "Learning curves"
    app.session_state["all_networks"] = True
    app.run()
    assert not app.exception
    assert "too few to see a trend" in texts(app)
    # Of one network there is no table.
    for table in [frame.value for frame in app.dataframe if "Verdict" in frame.value]:
        assert table["Validation"].isna().all()


@pytest.mark.parametrize("page", ["data", "prepare", "train"])
def test_names_of_any_kind_can_be_read(home: Path, page: str) -> None:
    table = small_table(120).rename(columns={"price": "the price"})
    table = table.assign(**{name: range(len(table)) for name in NAMES[3:]})
    table = table.rename(columns=dict(zip(["size", "place", "built"], NAMES, strict=False)))
    dataset = add_table(home, table)
    app = opened(page, dataset=dataset.id)
    assert not app.exception
    assert not app.error


def test_the_preview_tells_names_as_they_are(home: Path) -> None:
    table = pd.DataFrame({name: [1.5, -2.5, None] for name in NAMES[:4]} | {"y": [1, 2, 3]})
    app = opened("data", dataset=add_table(home, table).id)
    preview = app.dataframe[0]
    heads = [column["label"] for column in json.loads(preview.proto.columns).values() if "label" in column]
    assert heads[0].startswith("Driver's age · ")
    assert not any(head.startswith("(") for head in heads)
    assert "Driver's age" in texts(app) or "Driver's age" in list(app.dataframe[1].value["name"])
