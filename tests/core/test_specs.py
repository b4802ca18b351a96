"""The objects that the stages hand to each other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dlreg_core import errors
from dlreg_core.errors import DlregError, InputError
from dlreg_core.ingest.uploads.upload_receiver import UploadTicket
from dlreg_core.networks import default_plan
from dlreg_core.pipeline.pipeline_spec import PipelineSpec
from dlreg_core.pretrained_weights.licence_consent import Consents
from dlreg_core.pretrained_weights.weight_store import WeightManifest
from dlreg_core.runs.retention_clock import Calendar
from dlreg_core.settings import Settings, load_settings
from dlreg_core.specs import (
    Checkpoint,
    Cleaning,
    Column,
    ColumnType,
    Dataset,
    Done,
    Event,
    Experiment,
    ExplainRequest,
    ExplainResult,
    LeaderboardRow,
    NumberRange,
    PlannedFit,
    Recipe,
    ResolvedPlan,
    RowCounts,
    RunState,
    Search,
    Split,
    Task,
    TaskKind,
    TrainPlan,
    TrainResult,
    VersionedSpec,
    now,
)


def experiment(**recipe: object) -> Experiment:
    values = {"target": "y", "features": ("a", "b"), **recipe}
    return Experiment(name="n", dataset_id="d", dataset_name="d.csv", recipe=Recipe(**values), plan=default_plan())


def test_specs_can_not_be_changed_and_know_no_other_fields() -> None:
    split = Split()
    with pytest.raises(ValidationError):
        split.train = 0.5  # type: ignore[misc]
    with pytest.raises(ValidationError, match="extra"):
        Split(colour="red")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"train": 0.7, "validation": 0.2, "test": 0.2}, "add up to 100"),
        ({"kind": "time"}, "a split by time needs a column"),
        ({"kind": "group", "column": ""}, "a split by group needs a column"),
        ({"kind": "own"}, "needs that file"),
        ({"train": 1.0, "validation": 0.0, "test": 0.0}, "less than 1"),
        ({"kind": "stratified"}, "random"),
    ],
)
def test_splits_that_can_not_be(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Split(**values)


def test_a_recipe_needs_features_other_than_its_target() -> None:
    with pytest.raises(ValidationError, match="can't be one of the columns"):
        experiment(features=("a", "y"))
    with pytest.raises(ValidationError):
        experiment(features=())


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_a_plan_needs_time_and_models(limit: float) -> None:
    with pytest.raises(ValidationError):
        default_plan(time_limit=limit)
    with pytest.raises(ValidationError):
        TrainPlan(models=())


def test_a_search_is_the_same_after_json() -> None:
    ranges = {
        "learning_rate": NumberRange(low=1e-4, high=1e-2, log=True, steps=5),
        "hidden": ([64, 32], [128]),
        "loss": ("mse", "mae"),
        "batch_norm": (False, True),
        "dropout": (0.0, 0.25),
    }
    plan = default_plan(search=Search(method="grid", family="TABM", ranges=ranges, trials=7, seed=3))
    assert TrainPlan.model_validate_json(plan.model_dump_json()) == plan
    assert TrainPlan.model_validate(plan.model_dump()) == plan
    fit = PlannedFit(
        model="M", family="F", epochs=1, seed=0, threads=1, device="cpu", chosen={"hidden": [8, 4]}, trial=2
    )
    assert PlannedFit.model_validate_json(fit.model_dump_json()) == fit


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"ranges": {}}, "at least 1 item"),
        ({"ranges": {"loss": ("mse",)}}, "at least two values of loss"),
        ({"ranges": {"dropout": {"low": 0.5, "high": 0.5}}}, "from a smaller to a larger"),
        ({"ranges": {"dropout": {"low": 0.0, "high": 0.5, "log": True}}}, "must be above 0"),
        ({"ranges": {"dropout": {"low": 0.0, "high": float("inf")}}}, "finite"),
        ({"trials": 0}, "greater than or equal to 1"),
        ({"trials": 501}, "less than or equal to 500"),
        ({"method": "luck"}, "random"),
    ],
)
def test_searches_that_can_not_be(values: dict[str, object], sentence: str) -> None:
    known: dict[str, object] = {"family": "TABM", "ranges": {"loss": ("mse", "mae")}}
    with pytest.raises(ValidationError, match=sentence):
        Search(**known | values)


def test_a_plan_searches_a_network_that_it_trains_and_settings_that_are_free() -> None:
    search = Search(family="TABM", ranges={"dropout": (0.1, 0.2)})
    with pytest.raises(ValidationError, match="must be among those that are trained"):
        TrainPlan(models=("FASTAI",), search=search)
    with pytest.raises(ValidationError, match="either chosen or searched: dropout"):
        default_plan(settings={"TABM": {"dropout": 0.3}}, search=search)
    assert default_plan(settings={"FASTAI": {"dropout": 0.3}}, search=search).search == search


def test_only_an_explain_task_carries_what_to_explain() -> None:
    request = ExplainRequest(model="m", rows=1)
    assert Task(run_id="r", number=1, kind=TaskKind.EXPLAIN, explain=request).explain == request
    for kind, explain in ((TaskKind.TRAIN, request), (TaskKind.EXPLAIN, None)):
        with pytest.raises(ValidationError, match="and only that"):
            Task(run_id="r", number=1, kind=kind, explain=explain)
    with pytest.raises(ValidationError):
        ExplainRequest(model="m", rows=0)


def test_states_that_are_final() -> None:
    assert {state for state in RunState if not state.is_final} == {RunState.QUEUED, RunState.RUNNING}


def test_a_moment_is_in_utc_to_the_millisecond() -> None:
    before, moment = datetime.now(UTC), now()
    assert moment.tzinfo is UTC
    assert moment.microsecond % 1000 == 0
    assert before - timedelta(milliseconds=1) <= moment <= datetime.now(UTC)


text = st.text(max_size=20)


@given(
    text,
    st.lists(text, min_size=1, max_size=4, unique=True),
    st.floats(1e-3, 1e9),
    st.sampled_from(["median", "mean", "zero", "keep"]),
)
def test_an_experiment_is_the_same_after_json(target: str, features: list[str], limit: float, numbers: str) -> None:
    names = tuple(name for name in features if name != target) or (target + "x",)
    recipe = Recipe(
        target=target,
        features=names,
        types={names[0]: ColumnType.CATEGORY},
        cleaning=Cleaning(impute_numbers=numbers),
    )
    plan = ResolvedPlan(
        fits=(PlannedFit(model="M", family="TABM", settings={"lr": 3e-3}, epochs=5, seed=1, threads=2, device="cpu"),)
    )
    made = Experiment(
        name=target,
        dataset_id="d",
        dataset_name=target,
        recipe=recipe,
        plan=default_plan(time_limit=limit),
        replay_of="r",
        replay=plan,
    )
    assert Experiment.model_validate_json(made.model_dump_json()) == made


def test_results_are_found_by_name() -> None:
    row = LeaderboardRow(model="A", family="TABM", role="network", rmse=1.0)
    failed = LeaderboardRow(model="B", family="FASTAI", role="network", note="Failed: x")
    result = TrainResult(
        leaderboard=(row, failed),
        best_model="A",
        comparison=None,
        rows=RowCounts(train=3, validation=1, test=1),
        plan=ResolvedPlan(),
        seconds=1.0,
    )
    assert result.row("A") is row
    assert (row.trained, failed.trained) == (True, False)
    with pytest.raises(KeyError):
        result.row("C")
    assert TrainResult.model_validate_json(result.model_dump_json()) == result
    column = Column(name="a", type=ColumnType.NUMBER, missing=0, distinct=2)
    dataset = Dataset(id="i", name="n", file_bytes=1, rows=2, columns=(column,))
    assert dataset.column("a") is column
    assert dataset.column_names == ("a",)
    with pytest.raises(KeyError):
        dataset.column("b")


def test_ends_and_events_are_read_again() -> None:
    done = Done(state=RunState.FAILED, reason="r", hint="h")
    assert Done.model_validate_json(done.model_dump_json()) == done
    event = Event(time=now(), kind="epoch", data={"epoch": 1})
    assert Event.model_validate_json(event.model_dump_json()) == event


def test_every_error_is_one_of_ours_and_says_what_to_do() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) > 10
    for kind in kinds:
        assert issubclass(kind, DlregError)
        assert kind.__name__ in (errors.__doc__ or "")
        error = kind("It broke.", "Mend it.")
        assert (error.message, error.hint, str(error)) == ("It broke.", "Mend it.", "It broke. Mend it.")
        assert str(kind("It broke.")) == "It broke."


def test_settings_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DLREG_HOME", "here")
    monkeypatch.setenv("DLREG_SLOTS", "3")
    monkeypatch.delenv("DLREG_DATABASE", raising=False)
    found = load_settings()
    assert (found.home, found.slots) == (tmp_path / "here", 3)
    assert found.database_url == f"sqlite:///{tmp_path / 'here' / 'dlreg.db'}"
    assert Settings(database="postgresql://x/y").database_url == "postgresql://x/y"
    monkeypatch.setenv("DLREG_SLOTS", "-1")
    with pytest.raises(InputError, match="DLREG_SLOTS can't be used: Input should be greater than or equal to 0"):
        load_settings()


def test_a_file_of_another_format_is_refused_by_whoever_reads_it() -> None:
    kinds: set[type[VersionedSpec]] = {
        Task,
        Checkpoint,
        Dataset,
        TrainResult,
        ExplainResult,
        Experiment,
        PipelineSpec,
        WeightManifest,
        Consents,
        UploadTicket,
    }
    kinds.add(Calendar)
    assert kinds == set(VersionedSpec.__subclasses__())
    for kind in kinds:
        with pytest.raises(ValidationError, match="written in format 99, and this version of dlreg reads 1"):
            kind.model_validate_json('{"schema_version": 99}')
