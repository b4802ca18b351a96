"""Searches on the command line: they end up in the plan, or one sentence says why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dlreg_core.cli.application import app
from dlreg_core.errors import DlregError, PlanError
from dlreg_core.recipe.parse_plan import TypedPlan, plan_from_texts
from dlreg_core.specs import NumberRange, Search, TrainPlan
from tests.conftest import small_table


def planned(
    method: str, *ranges: str, trials: int | None = None, models: str = "", settings: tuple[str, ...] = ()
) -> TrainPlan:
    typed = TypedPlan(
        time_limit=60.0, models=models, setting=settings, search=method, search_range=ranges, trials=trials, seed=7
    )
    return plan_from_texts(typed, tuple)


def searched(method: str, *ranges: str, trials: int | None = None) -> Search:
    found = planned(method, *ranges, trials=trials).search
    assert found is not None
    return found


def test_without_its_options_nothing_is_searched() -> None:
    assert planned("").search is None


def test_a_search_is_part_of_the_plan() -> None:
    plan = planned("bayes", "tabm.learning_rate=1e-4..1e-2", "TABM.dropout=0..0.5", trials=12)
    assert plan.search == Search(
        method="bayes",
        family="TABM",
        ranges={
            "learning_rate": NumberRange(low=1e-4, high=1e-2, log=True),
            "dropout": NumberRange(low=0.0, high=0.5),
        },
        trials=12,
        seed=7,
    )
    assert TrainPlan.model_validate_json(plan.model_dump_json()) == plan


def test_values_can_be_listed() -> None:
    found = searched(
        "random",
        "NN_TORCH.loss=mse, mae",
        "NN_TORCH.batch_norm=on,off",
        "NN_TORCH.layers=2,4",
        "NN_TORCH.dropout=0,0.1",
    )
    assert found.ranges == {
        "loss": ("mse", "mae"),
        "batch_norm": (True, False),
        "layers": (2, 4),
        "dropout": (0.0, 0.1),
    }
    assert found.trials == 20
    assert searched("random", "FASTAI.hidden=64,32/128").ranges == {"hidden": ([64, 32], [128])}


def test_a_grid_has_as_many_trials_as_combinations() -> None:
    found = searched("grid", "FASTAI.learning_rate=1e-3..1e-1:3", "FASTAI.dropout=0..0.3", "FASTAI.clip=true,false")
    assert found.ranges["learning_rate"] == NumberRange(low=1e-3, high=0.1, log=True, steps=3)
    assert found.trials == 3 * 4 * 2
    assert searched("grid", "FASTAI.dropout=0..0.3", trials=3).trials == 3


def test_wide_ranges_are_searched_by_ratio() -> None:
    weight = searched("random", "FASTAI.epochs=5..500", "FASTAI.batch_size=32..64").ranges
    assert weight["epochs"] == NumberRange(low=5, high=500, log=True)
    assert weight["batch_size"] == NumberRange(low=32, high=64, log=True)
    assert searched("random", "FASTAI.epochs=5..40").ranges["epochs"] == NumberRange(low=5, high=40)


@pytest.mark.parametrize(
    ("method", "ranges", "told"),
    [
        ("luck", ("TABM.dropout=0..0.5",), "'luck' is no way to search. Use --search with random, grid or bayes."),
        ("", ("TABM.dropout=0..0.5",), "Use --search with random, grid or bayes."),
        ("bayes", (), "There is nothing to search. Give --search-range"),
        ("bayes", ("TABM.dropout",), "'TABM.dropout' is no range; write FAMILY.name=low..high"),
        ("bayes", ("TABM.dropout=a..b",), "'TABM.dropout=a..b' is no range"),
        ("bayes", ("TABM.dropout=0..0.5:x",), "is no range"),
        (
            "bayes",
            ("TABM.dropout=0.5..0.1",),
            "Dropout can't be searched from 0.5 to 0.1. A range must go from a smaller",
        ),
        ("bayes", ("TABM.dropout=0..0.5:1",), "Dropout can't be searched from 0 to 0.5."),
        ("bayes", ("TABM.dropout=nan..0.5",), "Dropout can't be searched from nan to 0.5."),
        ("bayes", ("TABM.dropout=0..2",), "Dropout of TabM must be a number from 0 to 0.9, not 2.0."),
        ("bayes", ("TABM.dropout=0.2",), "A search needs at least two values of Dropout of TabM."),
        ("bayes", ("TABM.depth=1..2",), "TabM has no setting called depth"),
        ("bayes", ("TABM.embedding=none..all",), "Numbers as inputs of TabM must be one of none, piecewise_linear"),
        (
            "bayes",
            ("TABM.dropout=0..0.1", "TABM.dropout=0..0.2"),
            "A setting is searched within one range, and one is given twice.",
        ),
        ("bayes", ("TABM.dropout=0..0.1", "FASTAI.dropout=0..0.2"), "A run searches one family, not TABM and FASTAI."),
        ("random", ("NN_TORCH.huber_delta=1..2",), "counts only where loss is huber, which is never tried."),
    ],
)
def test_what_can_not_be_searched_is_refused(method: str, ranges: tuple[str, ...], told: str) -> None:
    with pytest.raises(PlanError) as caught:
        planned(method, *ranges)
    assert told in str(caught.value)


def test_a_network_that_is_not_trained_and_a_setting_that_is_chosen_are_refused() -> None:
    with pytest.raises(PlanError, match="TabM isn't among the networks to train"):
        planned("bayes", "TABM.dropout=0..0.5", models="FASTAI")
    with pytest.raises(PlanError, match="Dropout of TabM is chosen already"):
        planned("bayes", "TABM.dropout=0..0.5", settings=("TABM.dropout=0.2",))


def test_a_run_that_is_repeated_searches_nothing(home: Path, tmp_path: Path) -> None:
    table = tmp_path / "houses.csv"
    small_table().to_csv(table, index=False)
    arguments = ["train", str(table), "--target", "price", "--replay", "r", "--search", "bayes"]
    found = CliRunner().invoke(app, arguments)
    assert isinstance(found.exception, DlregError)
    assert "settings that it had" in str(found.exception)


def test_trials_have_their_limits(home: Path, tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["train", "x.csv", "--target", "y", "--trials", "501"])
    assert found.exit_code == 2
