"""Settings of the networks on the command line: they end up in the plan, or one sentence says why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dlreg_core.cli.application import app
from dlreg_core.errors import DlregError, PlanError
from dlreg_core.recipe.parse_plan import TypedPlan, plan_from_texts
from dlreg_core.specs import TrainPlan
from tests.conftest import small_table


def planned(*settings: str, models: str = "") -> TrainPlan:
    return plan_from_texts(TypedPlan(time_limit=60.0, models=models, setting=settings), tuple)


def test_settings_are_part_of_the_plan() -> None:
    plan = planned("TABM.dropout=0.2", "fastai.hidden=64,32", "TABM.epochs=9")
    assert plan.settings == {"TABM": {"dropout": 0.2, "epochs": 9}, "FASTAI": {"hidden": [64, 32]}}
    assert TrainPlan.model_validate_json(plan.model_dump_json()) == plan
    assert planned().settings == {}
    assert planned("FEEDFORWARD.loss=huber", "FEEDFORWARD.huber_delta=3", models="FEEDFORWARD").settings == {
        "FEEDFORWARD": {"loss": "huber", "huber_delta": 3.0}
    }


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (("TABM.dropout=2",), "Dropout of TabM must be a number from 0 to 0.9, not 2.0."),
        (("TABM.depth=2",), "TabM has no setting called depth; choose from layers, width"),
        (("dropout=2",), "write FAMILY.name=value"),
        (("TABM.dropout=0.1", "TABM.dropout=0.2"), "TABM.dropout is given twice."),
        (("NN_TORCH.huber_delta=2",), "Huber's delta of NN Torch counts only where loss is huber."),
    ],
)
def test_what_can_not_be_had_is_refused(settings: tuple[str, ...], told: str) -> None:
    with pytest.raises(PlanError) as caught:
        planned(*settings)
    assert told in str(caught.value)


def test_a_setting_of_a_network_that_is_not_trained_is_refused() -> None:
    with pytest.raises(PlanError, match="TabM, which isn't among the networks to train"):
        planned("TABM.dropout=0.2", models="FASTAI")


def test_a_run_that_is_repeated_has_its_settings_already(home: Path, tmp_path: Path) -> None:
    table = tmp_path / "houses.csv"
    small_table().to_csv(table, index=False)
    arguments = ["train", str(table), "--target", "price", "--replay", "r", "--setting", "TABM.dropout=0.2"]
    found = CliRunner().invoke(app, arguments)
    assert isinstance(found.exception, DlregError)
    assert "settings that it had" in str(found.exception)
