from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlreg_core.runs import RunFolder
from dlreg_core.runs.atomic_files import write_spec
from dlreg_core.specs import LeaderboardRow
from dlreg_core.wording.verdict_text import COLUMNS, worth_words
from tests.pages.opening import continuing, copied, failed_run, going_on, labels, opened, texts, widget


def test_without_a_run_the_page_leads_to_one(home: Path) -> None:
    app = opened("leaderboard")
    assert not app.exception
    assert "No run is open yet" in texts(app)
    assert labels(app) == ["Train networks"]


def test_a_failed_run_says_why(home: Path) -> None:
    app = opened("leaderboard", run=failed_run(home).id)
    assert not app.exception
    assert "The table is too small. Add rows." in texts(app)
    assert labels(app) == ["Train again"]


def test_a_run_that_trains_leads_to_its_progress(home: Path) -> None:
    app = opened("leaderboard", run=going_on(home).run.id)
    assert not app.exception
    assert "still training" in texts(app)
    assert labels(app) == ["Watch its progress"]


def test_a_run_that_is_not_there_leads_to_the_list(home: Path) -> None:
    app = opened("leaderboard", run="nosuchrun")
    assert not app.exception
    assert "There is no run" in texts(app)
    assert labels(app) == ["Look at the runs"]


def test_shows_words_table_and_rows(trained: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_HOME", str(trained.home))
    app = opened("leaderboard", run=trained.id)
    assert not app.exception
    words = texts(app)
    result = trained.result()
    assert result is not None
    assert "off by $" in words
    assert f"{result.rows.test:,} test rows judged them once" in words
    assert "houses.csv → price" in words
    table = app.dataframe[0].value
    judged = [row for row in result.leaderboard if row.trained]
    assert len(table) == len(judged)
    assert f"{result.best_model} (chosen)" in set(table["model"])
    assert labels(app)[-1] == "Look at its errors"


def test_says_whether_deep_learning_was_worth_it(trained: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_HOME", str(trained.home))
    app = opened("leaderboard", run=trained.id)
    assert not app.exception
    result = trained.result()
    assert result is not None
    assert "Was deep learning worth it?" in [element.value for element in app.subheader]
    assert " ".join(worth_words(result)) in texts(app)
    table = app.dataframe[1].value
    names = sorted(name.partition(" (")[0] for name in table["against"])
    assert names == ["Boosted trees", "Decision tree", "Ridge regression"]
    assert list(table.columns) == list(COLUMNS)
    assert "missing from this comparison" not in texts(app)


def test_boosted_trees_that_failed_are_told_twice(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    result = run.result()
    assert result is not None
    note = "CatBoost could not be fitted: bad allocation."
    absent = LeaderboardRow(model="Boosted trees", family="BOOSTED", role="baseline", note=note)
    rows = tuple(absent if row.family == "BOOSTED" else row for row in result.leaderboard)
    left = tuple(one for one in result.comparisons if one.baseline != "Boosted trees")
    less = {"leaderboard": rows, "comparisons": left, "comparison": left[0]}
    write_spec(run.train_task().path / "result.json", result.model_copy(update=less))
    app = opened("leaderboard", run=run.id)
    assert not app.exception
    assert note in app.warning[0].value.replace("\\", "")
    assert f"Boosted trees are missing from this comparison. {note}" in texts(app)
    assert sorted(app.dataframe[1].value["against"]) == ["Decision tree", "Ridge regression"]


def test_a_result_of_an_earlier_version_has_the_answer_without_the_table(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    path = run.train_task().path / "result.json"
    kept = json.loads(path.read_text())
    del kept["comparisons"]
    path.write_text(json.dumps(kept))
    app = opened("leaderboard", run=run.id)
    assert not app.exception
    assert "Was deep learning worth it?" in [element.value for element in app.subheader]
    assert len(app.dataframe) == 1
    del kept["comparison"]
    path.write_text(json.dumps(kept | {"comparison": None}))
    app = opened("leaderboard", run=run.id)
    assert not app.exception
    assert "Was deep learning worth it?" not in [element.value for element in app.subheader]


@pytest.mark.parametrize("page", ["leaderboard", "diagnostics", "explain"])
def test_a_run_that_is_continued_shows_its_results_so_far(trained: RunFolder, home: Path, page: str) -> None:
    task = continuing(copied(trained, home))
    app = opened(page, run=task.run.id)
    assert not app.exception
    assert "$" in texts(app)
    links = [element.proto.label for element in app.get("page_link")]
    assert "More networks are being trained; until they are judged, this is the result." in links


def test_without_a_continuation_nothing_is_said_of_one(trained: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_HOME", str(trained.home))
    links = [element.proto.label for element in opened("leaderboard", run=trained.id).get("page_link")]
    assert not any("More networks" in label for label in links)


def test_columns_can_be_chosen(trained: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_HOME", str(trained.home))
    app = opened("leaderboard", run=trained.id)
    widget(app.pills, "Columns").set_value(["mse"]).run()
    assert not app.exception
    assert list(app.dataframe[0].value.columns) == ["rank", "model", "mse"]


def test_models_without_figures_are_listed_with_their_reason(
    trained: RunFolder, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = copied(trained, home)
    result = run.result()
    assert result is not None
    absent = LeaderboardRow(model="FT-Transformer", family="FT", role="network", note="It needs a *GPU*.")
    more = result.model_copy(update={"leaderboard": (*result.leaderboard, absent)})
    write_spec(run.train_task().path / "result.json", more)
    app = opened("leaderboard", run=run.id)
    assert not app.exception
    assert "It needs a *GPU*." in texts(app)
    assert "\\*GPU\\*" in app.warning[0].value
