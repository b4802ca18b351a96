"""The form of a search on Train: off unless it is wanted; what is chosen is kept, trained with, or told why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dlreg_core.recipe.draft import draft_of, load_draft, save_draft
from dlreg_core.specs import Dataset, NumberRange, RunState, Search
from pages._ui.train.search_form import search_words
from tests.conftest import add_table, experiment_on, small_table
from tests.pages.opening import ended, opened_train, store_of, texts, waiting, widget


@pytest.fixture
def dataset(home: Path) -> Dataset:
    """A table whose target is chosen."""
    found = add_table(home, small_table())
    save_draft(home, "local", found.id, draft_of(found, experiment_on(found, "price").recipe))
    return found


def part(app: AppTest, key: str) -> Any:
    """Return the field of the search whose key starts with `key`."""
    groups = (app.number_input, app.selectbox, app.text_input, app.multiselect, app.get("button_group"))
    return next(element for group in groups for element in group if str(element.key).startswith(f"search_{key}"))


def searching(dataset: Dataset, method: str, model: str = "NN_TORCH") -> AppTest:
    """Open the page and turn the search on."""
    app = opened_train(dataset.id)
    part(app, "method").set_value(method).run()
    part(app, "model").set_value(model).run()
    assert not app.exception
    return app


def kept(home: Path, dataset: Dataset) -> Search | None:
    draft = load_draft(home, "local", dataset.id)
    assert draft is not None
    return draft.plan.search


def errors(app: AppTest) -> list[str]:
    return [str(element.value).replace("\\", "") for element in app.error]


def test_nothing_is_searched_unless_it_is_wanted(home: Path, dataset: Dataset) -> None:
    app = opened_train(dataset.id)
    assert not app.exception
    assert part(app, "method").value == "off"
    with pytest.raises(StopIteration):
        part(app, "model")
    assert kept(home, dataset) is None


def test_a_search_begins_with_usual_ranges_and_is_trained_with(home: Path, dataset: Dataset) -> None:
    app = searching(dataset, "bayes")
    told = "Bayesian search: up to 20 trainings of NN Torch over Learning rate (0.0001 to 0.01), Dropout (0 to 0.5)."
    assert told in texts(app)
    part(app, "high_dropout").set_value(0.4)
    part(app, "trials").set_value(7).run()
    wanted = Search(
        method="bayes",
        family="NN_TORCH",
        ranges={"learning_rate": NumberRange(low=1e-4, high=1e-2, log=True), "dropout": NumberRange(low=0, high=0.4)},
        trials=7,
    )
    assert kept(home, dataset) == wanted
    widget(app.button, "Start training").click().run()
    (run,) = store_of(home).list("local")
    assert store_of(home).folder(run.run_id).experiment().plan.search == wanted


def test_every_kind_of_setting_can_be_searched(home: Path, dataset: Dataset) -> None:
    app = searching(dataset, "random")
    part(app, "names").set_value(["loss", "batch_norm", "epochs", "layers"]).run()
    part(app, "values_loss").set_value(["mse", "huber"])
    part(app, "high_layers").set_value(3).run()
    assert not app.exception
    found = kept(home, dataset)
    assert found is not None
    assert found.ranges == {
        "loss": ("mse", "huber"),
        "batch_norm": (False, True),
        "epochs": NumberRange(low=10, high=80),
        "layers": NumberRange(low=1, high=3),
    }


def test_widths_are_listed(home: Path, dataset: Dataset) -> None:
    app = searching(dataset, "random", "FASTAI")
    part(app, "names").set_value(["hidden"]).run()
    part(app, "values_hidden").set_value("16, 8 / 32").run()
    found = kept(home, dataset)
    assert found is not None
    assert found.ranges == {"hidden": ([16, 8], [32])}
    assert "Hidden layers (16, 8; 32)" in texts(app)
    part(app, "values_hidden").set_value("16, wide").run()
    assert "Hidden layers of FastAI must be 1 to 8 whole numbers" in errors(app)[0]
    assert widget(app.button, "Start training").disabled


def test_a_grid_says_how_many_combinations_it_has(home: Path, dataset: Dataset) -> None:
    app = searching(dataset, "grid")
    assert widget(app.metric, "Combinations").value == "16"
    part(app, "steps_dropout").set_value(3).run()
    assert widget(app.metric, "Combinations").value == "12"
    found = kept(home, dataset)
    assert found is not None
    assert (found.method, found.trials) == ("grid", 12)
    part(app, "names").set_value(["learning_rate", "dropout", "weight_decay", "width", "layers"]).run()
    assert errors(app) == ["The grid has 768 combinations, and at most 500 can be tried. Leave out some values."]
    assert widget(app.button, "Start training").disabled


def test_what_can_not_be_searched_is_told_until_it_is_put_right(home: Path, dataset: Dataset) -> None:
    app = searching(dataset, "random")
    before = kept(home, dataset)
    part(app, "low_dropout").set_value(0.6).run()
    assert errors(app) == [
        "Dropout can't be searched from 0.6 to 0.5. A range must go from a smaller to a larger number."
    ]
    assert widget(app.button, "Start training").disabled
    assert kept(home, dataset) == before
    part(app, "low_dropout").set_value(0.2).run()
    assert not app.error
    part(app, "names").set_value([]).run()
    assert errors(app) == ["Nothing is searched yet. Choose a setting, or turn the search off."]
    part(app, "names").set_value(["huber_delta"]).run()
    assert "counts only where loss is huber, which is never tried." in errors(app)[0]
    part(app, "names").set_value(["loss"]).run()
    part(app, "values_loss").set_value(["mse"]).run()
    assert errors(app) == ["A search needs at least two values of Loss of NN Torch."]
    part(app, "method").set_value("off").run()
    assert not app.error
    assert kept(home, dataset) is None


def test_a_setting_that_was_changed_is_not_searched(home: Path, dataset: Dataset) -> None:
    app = searching(dataset, "random")
    place = f"setting_dropout_new_{dataset.id}_NN_TORCH_0"
    next(element for element in app.number_input if element.key == place).set_value(0.3).run()
    assert not app.exception
    assert "What was changed in the settings holds in every trial: Dropout." in texts(app)
    found = kept(home, dataset)
    assert found is not None
    assert set(found.ranges) == {"learning_rate"}


def test_a_network_that_is_no_longer_trained_is_not_searched(home: Path, dataset: Dataset) -> None:
    app = searching(dataset, "random")
    widget(app.checkbox, "NN Torch").uncheck().run()
    assert not app.exception
    found = kept(home, dataset)
    assert found is not None
    assert found.family != "NN_TORCH"


def test_a_search_is_there_again_after_a_reload_and_for_another_run(home: Path, dataset: Dataset) -> None:
    app = searching(dataset, "grid")
    part(app, "steps_dropout").set_value(3).run()
    part(app, "high_learning_rate").set_value(0.1).run()
    again = opened_train(dataset.id)
    assert part(again, "method").value == "grid"
    assert part(again, "model").value == "NN_TORCH"
    assert part(again, "steps_dropout").value == 3
    assert part(again, "high_learning_rate").value == 0.1
    search = kept(home, dataset)
    run = ended(waiting(home, dataset, models=("NN_TORCH",), time_limit=60.0, search=search), RunState.CANCELLED)
    other = opened_train(dataset.id, run=run.id)
    assert not other.exception
    widget(other.button, "Train again").click().run()
    runs = {found.run_id for found in store_of(home).list("local")} - {run.id}
    assert store_of(home).folder(runs.pop()).experiment().plan.search == search


def test_a_search_in_words() -> None:
    ranges = {"batch_size": NumberRange(low=32, high=512, log=True), "hidden": ([8, 4], [16]), "clip": (True, False)}
    told = search_words(Search(method="random", family="FASTAI", ranges=ranges, trials=1))
    assert told == (
        "Random search: up to 1 training of FastAI over Batch size (32 to 512), Hidden layers (8, 4; 16), "
        "Stay within range (on; off)."
    )
