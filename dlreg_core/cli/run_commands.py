"""The commands about runs that exist: list, finish, continue, cancel, delete, tidy up."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dlreg_core.cli.terminal_progress import follow, print_report, say
from dlreg_core.errors import ConflictError, InputError
from dlreg_core.formatting import about, number
from dlreg_core.jobs import QueuePlace, RunService, WithRuns, open_run_service
from dlreg_core.report import queue_answer, run_answer
from dlreg_core.runs import QueuedTask, find_orphans, remove_orphans
from dlreg_core.settings import load_settings
from dlreg_core.specs import RunState
from dlreg_core.wording import KEPT_RUNS, copies_words, deleted_runs_words, runs_counted, split_name, used_by_words

run_app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object (or list) on standard output.")]
DayFirst = Annotated[
    bool | None,
    typer.Option("--day-first/--month-first", help="What 03/04/2024 is, where a column's dates fit both orders."),
]
RunId = Annotated[str, typer.Argument(help="Identifier of a run, as `dlreg runs` shows it.")]


@run_app.command()
def runs(as_json: AsJson = False) -> None:
    """List the runs, newest first."""
    run_service = open_run_service(load_settings())
    run_service.dispatcher.tick()
    found = run_service.list()
    if as_json:
        models = run_service.models()
        typer.echo(json.dumps([run_answer(run, models) for run in found]))
        return
    for run in found:
        known = run.best_model and run.best_rmse is not None
        best = f"{run.best_model} (RMSE {number(run.best_rmse, 4)})" if known else "–"
        size = f"{run.size_mb:,.1f} MB" if run.size_mb is not None else ""
        told = f"{run.name}  {split_name(run.split)}  {best}"
        say(f"{run.run_id}  {run.state:<11}  {run.created:%Y-%m-%d %H:%M}  {size:>10}  {told}")


@run_app.command()
def queue(as_json: AsJson = False) -> None:
    """List what trains and what waits, with the expected start."""
    run_service = open_run_service(load_settings())
    run_service.dispatcher.tick()
    names = {run.run_id: run for run in run_service.list()}
    places = run_service.dispatcher.places()
    lines = [(task, places.get((task.run_id, task.number))) for task in run_service.queue()]
    if as_json:
        typer.echo(json.dumps([queue_answer(task, *_figures(place)) for task, place in lines]))
        return
    for task, place in lines:
        run = names.get(task.run_id)
        say(f"{task.run_id}  {_where(task, place):<34}  {run.name if run else ''}")


@run_app.command()
def finish(run_id: RunId) -> None:
    """Say that it is enough: training stops, and what there is becomes the result.

    Of a run that ended without a result, the networks that were finished become one.
    """
    run_service = open_run_service(load_settings())
    task = run_service.finish(run_id)
    if task.task().more is None:
        say(f"Run {run_id} is finishing: it keeps the best so far.")
        return
    follow(run_service, run_id, quiet=False)
    print_report(run_service.report(run_id), as_json=False)


@run_app.command("continue")
def go_on(
    run_id: RunId,
    time_limit: Annotated[float, typer.Option(help="Seconds more.")],
    as_json: AsJson = False,
) -> None:
    """Give a run that has ended more time: it keeps its models and adds to them."""
    run_service = open_run_service(load_settings())
    run_service.go_on(run_id, time_limit)
    state = follow(run_service, run_id, quiet=as_json)
    report = run_service.report(run_id)
    print_report(report, as_json=as_json)
    # A continuation that failed leaves the run as complete as it was, but it isn't what was asked for.
    raise typer.Exit(0 if state is RunState.COMPLETED else 1)


@run_app.command()
def cancel(run_id: RunId) -> None:
    """End a run that is queued or running."""
    if not open_run_service(load_settings()).cancel(run_id):
        raise ConflictError(f"Run {run_id} isn't running.", "There is nothing to cancel.")
    say(f"Run {run_id} is cancelled.")


@run_app.command()
def delete(
    run_id: Annotated[str, typer.Argument(help="Identifier of a run, as `dlreg runs` shows it.")] = "",
    explanations: Annotated[
        bool, typer.Option("--explanations", help="Only what explains the run's models, which holds rows of its table.")
    ] = False,
    data: Annotated[str, typer.Option(help="Delete a data set instead, by its identifier in `dlreg data`.")] = "",
    draft: Annotated[
        str, typer.Option(help="Delete what was prepared of a data set, by its identifier; the data set stays.")
    ] = "",
    with_runs: Annotated[bool, typer.Option("--with-runs", help="Delete the runs that used the data as well.")] = False,
    keep_runs: Annotated[
        bool, typer.Option("--keep-runs", help="Keep those runs, without what shows or needs rows of the data.")
    ] = False,
) -> None:
    """Remove a run, or a data set, with everything that belongs to it."""
    of_data = with_runs or keep_runs
    if sum(map(bool, (run_id, data, draft))) != 1 or (with_runs and keep_runs) or (of_data and not data):
        raise InputError(
            "Give one of these: a run, a data set with --data, or what was prepared of one with --draft.",
            "With --data, --with-runs or --keep-runs says what becomes of the runs that used it.",
        )
    if explanations and not run_id:
        raise InputError("--explanations is for a run.", "Give its identifier.")
    run_service = open_run_service(load_settings())
    if draft:
        run_service.data.delete_draft(draft)
        say(f"What was prepared of data set {draft} is deleted.")
    elif data:
        _delete_data(run_service, data, "delete" if with_runs else "keep" if keep_runs else "refuse")
    elif explanations:
        count = run_service.delete_explanations(run_id)
        say(f"{count} {'explanation' if count == 1 else 'explanations'} of run {run_id} deleted.")
    else:
        run_service.delete(run_id)
        say(f"Run {run_id} is deleted.")


def _delete_data(run_service: RunService, dataset_id: str, runs: WithRuns) -> None:
    kept = run_service.data.get(dataset_id)
    if kept.runs and runs == "refuse":
        raise ConflictError(
            f"{kept.name} is used by {used_by_words([run.name for run in kept.runs])}.",
            "Add --with-runs to delete them too, or --keep-runs to keep their models and figures.",
        )
    run_service.data.delete(dataset_id, runs)
    say(f"Data set {dataset_id} is deleted.")
    if kept.runs:
        gone = runs == "delete"
        told = deleted_runs_words(len(kept.copies)) if gone else KEPT_RUNS
        say(f"{runs_counted(len(kept.runs))} {'deleted with it' if gone else 'kept'}. {told}")
    if kept.copies:
        say(f"{copies_words(len(kept.copies))} ({', '.join(kept.copies)})")


@run_app.command()
def clean(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be removed.")] = False,
) -> None:
    """Remove what crashes have left behind: half-written runs, data sets and files that nothing refers to."""
    home = load_settings().home
    found = find_orphans(home) if dry_run else remove_orphans(home)
    for path in found:
        say(str(path))
    say(f"{len(found)} {'found' if dry_run else 'removed'}.", err=True)


def _figures(place: QueuePlace | None) -> tuple[int | None, float | None]:
    return (place.ahead, place.seconds) if place is not None else (None, None)


def _where(task: QueuedTask, place: QueuePlace | None) -> str:
    """Return where a task of the queue stands, in words."""
    if task.slot is not None:
        return f"running on {task.slot}" if task.kind.trains else "explaining"
    if place is None:
        return "waiting"
    return f"{place.ahead} before it, starts in {about(place.seconds)}"
