"""The form of the networks' settings on Train: nobody has to answer it; who does is understood, or told why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dlreg_core.networks import family, settings_of
from dlreg_core.recipe.draft import draft_of, load_draft, save_draft
from dlreg_core.specs import Dataset, RunState
from pages._ui.train.settings_form import changed_words
from tests.conftest import add_table, experiment_on, small_table
from tests.pages.opening import ended, labels, opened_train, store_of, texts, waiting, widget


@pytest.fixture
def dataset(home: Path) -> Dataset:
    """A table whose target is chosen."""
    found = add_table(home, small_table())
    recipe = experiment_on(found, "price").recipe
    save_draft(home, "local", found.id, draft_of(found, recipe))
    return found


def field(app: AppTest, model: str, name: str, place: str, turn: int = 0) -> Any:
    """Return the field of a setting, whatever kind of field it is."""
    key = f"setting_{name}_{place}_{model}_{turn}"
    groups = (app.number_input, app.selectbox, app.text_input, app.toggle)
    return next(element for group in groups for element in group if element.key == key)


def kept(home: Path, dataset: Dataset) -> dict[str, dict[str, Any]]:
    draft = load_draft(home, "local", dataset.id)
    assert draft is not None
    return draft.plan.settings


def test_every_setting_of_the_ticked_networks_is_shown_with_its_help_and_its_default(dataset: Dataset) -> None:
    app = opened_train(dataset.id)
    assert not app.exception
    for known in settings_of("TABM"):
        shown = field(app, "TABM", known.name, f"new_{dataset.id}")
        assert shown.label == known.title
        assert known.help in shown.help
        assert shown.value == known.default or shown.value in ("", None) or shown.value == known.choices
        if known.default is None:
            assert known.automatic in shown.help
    assert "Changed:" not in texts(app)
    assert all(button.disabled for button in app.button if button.label.startswith("Back to the defaults"))


def test_networks_that_are_not_ticked_have_no_settings_to_choose(dataset: Dataset) -> None:
    app = opened_train(dataset.id)
    widget(app.checkbox, family("TABM").title).uncheck().run()
    assert not app.exception
    assert not any("_TABM_" in (element.key or "") for element in app.number_input)
    assert "Back to the defaults of TabM" not in labels(app)


def test_what_is_changed_is_named_kept_and_trained_with(home: Path, dataset: Dataset) -> None:
    app, place = opened_train(dataset.id), f"new_{dataset.id}"
    field(app, "TABM", "dropout", place).set_value(0.3)
    field(app, "FASTAI", "hidden", place).set_value("64, 32")
    field(app, "NN_TORCH", "loss", place).set_value("huber").run()
    field(app, "NN_TORCH", "huber_delta", place).set_value(12.5).run()
    assert not app.exception
    told = texts(app)
    assert "TabM: Dropout 0.3" in told
    assert "FastAI: Hidden layers 64, 32" in told
    assert "NN Torch: Loss huber, Huber's delta 12.5" in told
    chosen = {
        "TABM": {"dropout": 0.3},
        "FASTAI": {"hidden": [64, 32]},
        "NN_TORCH": {"loss": "huber", "huber_delta": 12.5},
    }
    assert kept(home, dataset) == chosen
    widget(app.button, "Start training").click().run()
    (run,) = store_of(home).list("local")
    assert store_of(home).folder(run.run_id).experiment().plan.settings == chosen


def test_what_was_chosen_is_there_again_after_a_reload(home: Path, dataset: Dataset) -> None:
    app, place = opened_train(dataset.id), f"new_{dataset.id}"
    field(app, "REALMLP", "epochs", place).set_value(20).run()
    again = opened_train(dataset.id)
    assert field(again, "REALMLP", "epochs", place).value == 20
    assert "RealMLP: Epochs 20" in texts(again)
    # The default is no choice.
    field(again, "REALMLP", "epochs", place).set_value(None).run()
    assert kept(home, dataset) == {}


def fold(app: AppTest, dataset: Dataset) -> AppTest:
    for part in ("networks", "settings", "search"):
        app.session_state[f"{part}_new_{dataset.id}"] = False
    return app.run()


def test_what_was_chosen_holds_while_it_is_folded_away(home: Path, dataset: Dataset) -> None:
    app, place = opened_train(dataset.id), f"new_{dataset.id}"
    widget(app.checkbox, "TabM").uncheck().run()
    field(app, "REALMLP", "epochs", place).set_value(20).run()
    widget(app.segmented_control, "Search").set_value("random").run()
    draft = load_draft(home, "local", dataset.id)
    app = fold(app, dataset)
    assert not app.exception
    assert not [box for box in app.checkbox if str(box.key).startswith("network_")]
    with pytest.raises(StopIteration):
        field(app, "REALMLP", "epochs", place)
    assert "RealMLP: Epochs 20" in texts(app)
    assert "Random search" in texts(app)
    assert load_draft(home, "local", dataset.id) == draft
    # Unfolded, it shows what was chosen, and a search that is turned off stays off.
    for part in ("networks", "settings", "search"):
        app.session_state[f"{part}_{place}"] = True
    app.run()
    assert not widget(app.checkbox, "TabM").value
    assert field(app, "REALMLP", "epochs", place).value == 20
    widget(app.segmented_control, "Search").set_value("off").run()
    assert "Random search" not in texts(fold(app, dataset))
    widget(app.button, "Start training").click().run()
    (run,) = store_of(home).list("local")
    plan = store_of(home).folder(run.run_id).experiment().plan
    assert "TABM" not in plan.models
    assert plan.settings == {"REALMLP": {"epochs": 20}}
    assert plan.search is None


def test_a_value_that_can_not_be_had_keeps_from_training_while_it_is_folded_away(dataset: Dataset) -> None:
    app, place = opened_train(dataset.id), f"new_{dataset.id}"
    field(app, "FASTAI", "hidden", place).set_value("64, wide").run()
    app = fold(app, dataset)
    assert "Hidden layers of FastAI must be" in app.error[0].value.replace("\\", "")
    assert widget(app.button, "Start training").disabled


def test_a_field_that_has_no_effect_is_not_shown(dataset: Dataset) -> None:
    app, place = opened_train(dataset.id), f"new_{dataset.id}"
    with pytest.raises(StopIteration):
        field(app, "NN_TORCH", "huber_delta", place)


def test_a_value_that_can_not_be_had_keeps_from_training_until_it_is_put_right(home: Path, dataset: Dataset) -> None:
    app, place = opened_train(dataset.id), f"new_{dataset.id}"
    field(app, "FASTAI", "hidden", place).set_value("64, wide").run()
    assert not app.exception
    told = {element.value.replace("\\", "") for element in app.error}
    assert told == {
        "Hidden layers of FastAI must be 1 to 8 whole numbers from 1 to 4096, such as 256,128, not '64, wide'."
    }
    assert widget(app.button, "Start training").disabled
    field(app, "FASTAI", "hidden", place).set_value("64").run()
    assert not app.error
    assert not widget(app.button, "Start training").disabled
    assert kept(home, dataset) == {"FASTAI": {"hidden": [64]}}


def test_there_is_a_way_back_to_the_defaults_of_one_network(home: Path, dataset: Dataset) -> None:
    app, place = opened_train(dataset.id), f"new_{dataset.id}"
    field(app, "TABM", "dropout", place).set_value(0.3)
    field(app, "FASTAI", "epochs", place).set_value(7).run()
    widget(app.button, "Back to the defaults of TabM").click().run()
    assert not app.exception
    assert field(app, "TABM", "dropout", place, turn=1).value == 0.1
    assert kept(home, dataset) == {"FASTAI": {"epochs": 7}}
    # It can be changed anew.
    field(app, "TABM", "dropout", place, turn=1).set_value(0.2).run()
    assert kept(home, dataset) == {"TABM": {"dropout": 0.2}, "FASTAI": {"epochs": 7}}


def test_a_run_is_trained_again_with_the_settings_that_it_had_or_others(home: Path, dataset: Dataset) -> None:
    task = waiting(home, dataset, models=("FASTAI",), time_limit=60.0, settings={"FASTAI": {"epochs": 7}})
    run = ended(task, RunState.CANCELLED)
    app = opened_train(dataset.id, run=run.id)
    assert field(app, "FASTAI", "epochs", run.id).value == 7
    widget(app.button, "Back to the defaults of FastAI").click().run()
    field(app, "FASTAI", "dropout", run.id, turn=1).set_value(0.2).run()
    widget(app.button, "Train again").click().run()
    assert not app.exception
    runs = {found.run_id for found in store_of(home).list("local")} - {run.id}
    assert store_of(home).folder(runs.pop()).experiment().plan.settings == {"FASTAI": {"dropout": 0.2}}


def test_changes_in_words() -> None:
    found = changed_words({"NN_TORCH": {"batch_norm": True, "learning_rate": 1e-5}, "FASTAI": {"hidden": [8, 4]}})
    assert found == "NN Torch: Batch normalisation on, Learning rate 1e-05; FastAI: Hidden layers 8, 4"
