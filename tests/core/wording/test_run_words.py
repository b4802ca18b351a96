from __future__ import annotations

import pytest

from dlreg_core.networks import default_plan
from dlreg_core.runs.training_progress import ModelProgress, ModelState, Resources, RunProgress
from dlreg_core.specs import Experiment, LeaderboardRow, Recipe, Report, RowCounts, RunState, TrainResult
from dlreg_core.specs import ResolvedPlan as Resolved
from dlreg_core.wording import run_text as words


def report(**values: object) -> Report:
    experiment = Experiment(
        name="houses",
        dataset_id="0" * 16,
        dataset_name="houses.csv",
        recipe=Recipe(target="price", features=("size",)),
        plan=default_plan(time_limit=120.0),
    )
    known = {"run_id": "r", "run_dir": "/r", "state": RunState.COMPLETED, "experiment": experiment, "time_limit": 120.0}
    return Report(**(known | values))


def result(*models: str) -> TrainResult:
    rows = tuple(LeaderboardRow(model=model, family="TABM", role="network", rmse=1.0) for model in models)
    failed = LeaderboardRow(model="RealMLP", family="REALMLP", role="network", note="Failed.")
    return TrainResult(
        leaderboard=(*rows, failed),
        best_model=models[0],
        comparison=None,
        rows=RowCounts(train=1, validation=1, test=1),
        plan=Resolved(),
        seconds=9.0,
    )


@pytest.mark.parametrize(
    ("seconds", "budget", "said"),
    [
        (50.4, 60, "about 0:50 left"),
        (7.0, 60, "about 0:05 left"),
        (59.0, 90, "about 1:00 left"),
        (124.0, 900, "about 2:00 left"),
        (3000.0, 9000, "about 50 min left"),
        (4.0, 60, "any moment now"),
        (-20.0, 60, "any moment now"),
        (-20.0, -1, "a little longer than planned"),
    ],
)
def test_time_left_is_no_more_exact_than_it_can_be(seconds: float, budget: float, said: str) -> None:
    assert words.left_words(seconds, budget) == said


def test_a_model_of_an_earlier_task_is_from_before() -> None:
    taken = ModelProgress("TabM", ModelState.DONE, taken=True)
    assert words.model_state_words(taken) == "from before"
    assert words.model_state_words(ModelProgress("TabM", ModelState.DONE)) == "done"


def test_what_a_run_uses() -> None:
    used = Resources(memory_mb=910, machine_mb=25_275, machine_used=0.08, cpu=0.97)
    assert words.resource_words(used, 2) == "Uses 910 MB of 25 GB memory and 1.0 of 2 cores."
    unknown = Resources(memory_mb=910, machine_mb=0)
    assert words.resource_words(unknown, 1) == "Uses 910 MB and 0.0 of 1 core."
    gpu = Resources(910, 25_275, 0.95, 1.94, gpu_memory_mb=2100, gpu_total_mb=81_000, gpu_share=0.64)
    assert words.resource_words(gpu, 2) == (
        "Uses 910 MB of 25 GB memory, 1.9 of 2 cores and 2.1 GB of 81 GB on the GPU, which is 64 % busy. "
        "The machine's memory is 95 % full."
    )


def test_the_place_in_the_queue() -> None:
    assert words.place_words(0, 1.0) == "This run is next; it starts any moment now."
    assert words.place_words(1, 40.0) == "1 run starts before this one; it starts in about 40 s."
    assert words.place_words(2, 240.0) == "2 runs start before this one; it starts in about 4 min."


def test_silence_and_what_comes_of_it() -> None:
    text = words.silence_words(80.0, 300.0)
    assert text.startswith("It has given no sign of life for 1:20. It will be ended after 5:00 without one")


def test_finishing_says_what_is_still_to_come() -> None:
    training = ModelProgress("TabM", ModelState.TRAINING)
    assert "TabM ends after this epoch" in words.finishing_words(RunProgress(models=(training,)))
    assert "are judged" in words.finishing_words(RunProgress(models=(ModelProgress("TabM", ModelState.DONE),)))
    assert "sees the rows once" in words.finishing_words(RunProgress(models=(ModelProgress("TabM"),)))


def test_what_a_run_is_about() -> None:
    assert words.run_budget_words(report()) == "5 networks, 2 min"
    more = report(continues=True, time_limit=300.0)
    assert words.run_budget_words(more) == "5 networks, 2 min, continued for 5 min"
    kept = report(continues=True, time_limit=0.0)
    assert words.run_budget_words(kept) == "5 networks, 2 min, kept what was finished"
    in_vain = report(continues=True, time_limit=300.0, reason="The disk is full.")
    assert words.run_budget_words(in_vain) == "5 networks, 2 min"


def test_a_run_that_ended_before_its_time() -> None:
    early = result("TabM").model_copy(update={"stopped_early": True})
    assert words.early_words(report(result=early)) == "It finished early, as asked."
    kept = words.early_words(report(result=early, continues=True, time_limit=0.0))
    assert kept == "It ended early; what was finished was kept."
    assert words.early_words(report(result=result("TabM"))) == ""
    assert words.early_words(report()) == ""


def test_only_what_the_result_lacks_can_be_kept() -> None:
    assert words.new_networks(report(keepable=("TabM", "FastAI"))) == ("TabM", "FastAI")
    assert words.new_networks(report(keepable=("TabM", "RealMLP"), result=result("TabM"))) == ("RealMLP",)
    assert words.keep_words(["TabM"]) == "Keep TabM"
    assert words.keep_words(["TabM", "FastAI"]) == "Keep the 2 networks that were finished"


def test_going_on() -> None:
    kept = "it keeps its models and adds to them; it never gets worse on the validation rows."
    assert words.continue_words((), has_result=True) == f"I{kept[1:]}"
    assert words.continue_words(["TabM"], has_result=False) == (
        f"TabM was finished by then. Keep it, or continue: {kept}"
    )
    assert words.continue_words(["A", "B", "C"], has_result=True).startswith(
        "A, B and C were finished by then. Keep th"
    )
    assert words.continue_words(list("ABCD"), has_result=True).startswith("4 networks were finished")
    assert "begins anew" in words.continue_words((), has_result=False)


def test_a_continuation_that_came_to_nothing() -> None:
    failed = words.not_continued_words("The disk is full.", "", cancelled=False)
    assert failed == "It could not be continued. The disk is full. The models from before are unchanged."
    assert "cancelled" in words.not_continued_words("Cancelled.", "", cancelled=True)


def test_the_room_that_runs_take() -> None:
    assert words.space_words(12, 340.2, 0) == "12 runs take 340 MB."
    assert words.space_words(1, 2.0, 1) == "1 run takes 2 MB. Runs are deleted 1 day after they end."
    assert words.space_words(2, 2.0, 30) == "2 runs take 2 MB. Runs are deleted 30 days after they end."


def test_what_cancelling_costs() -> None:
    assert "nothing is lost" in words.cancel_words(waits=True, has_result=False)
    assert "already stay" in words.cancel_words(waits=True, has_result=True)
    assert "can still be kept later" in words.cancel_words(waits=False, has_result=False)
    assert words.cancel_words(waits=False, has_result=True).startswith("It ends at once. The models")
