"""A run on a terminal: its progress and its result."""

from __future__ import annotations

import json
import sys
import time
import zipfile
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dlreg_core.charts.base import row_records
from dlreg_core.formatting import number
from dlreg_core.jobs import RunService
from dlreg_core.names import visible
from dlreg_core.report import report_answer
from dlreg_core.runs import TaskFolder, was_made
from dlreg_core.specs import Event, Report, RunState, TrainResult
from dlreg_core.wording import ahead_words, later_rows_text, model_text, split_line, verdict_text

_POLL_SECONDS = 0.2


def say(text: object, *, err: bool = False) -> None:
    """Print one line, on standard error if `err`, of which nothing is an order to the terminal."""
    typer.echo(visible(text), err=err)


def say_whose(model: Path, home: Path) -> None:
    """Say what is known of a model file that a home may not have made; what it says of itself is no evidence."""
    # Imported here: most commands need nothing of model files.
    from dlreg_core.runs.atomic_files import sha256

    digest = sha256(model) if zipfile.is_zipfile(model) else ""
    if digest and not was_made(home, digest):
        say(
            f"Loading {model.name} runs code that is in it, and this home has no record of having made it "
            f"(SHA-256 {digest}).",
            err=True,
        )


def follow(run_service: RunService, run_id: str, *, quiet: bool) -> RunState:
    """Wait for the latest training of a run, and return how it ended; Ctrl-C cancels it. See `watch`."""
    try:
        return watch(run_service, run_id, quiet=quiet)
    except KeyboardInterrupt:
        run_service.cancel(run_id)
        return run_service.folder(run_id).train_task().state()


def watch(run_service: RunService, run_id: str, *, quiet: bool) -> RunState:
    """Wait until the latest training of a run has ended, and show on standard error what it does.

    Parameters
    ----------
    run_service : RunService
        Its dispatcher is asked to look after the queue meanwhile, since no server may be there to do so.
    run_id : str
        The run.
    quiet : bool
        Show nothing unless standard error is a terminal.

    Returns
    -------
    RunState
        A final state.
    """
    console = Console(file=sys.stderr)
    task = run_service.folder(run_id).train_task()
    limit = max(1.0, task.time_limit())
    # What is told holds names and levels of the table: none of it is markup or an order to the terminal.
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("Waiting for a free place", total=limit)
        offset, stage = 0, ""
        while True:
            run_service.dispatcher.look()
            state = task.state()
            log = task.events(offset)
            offset = log.offset
            for event in log.events:
                stage = _sentence(event) or stage
                if not quiet and not console.is_terminal and _sentence(event):
                    console.print(_sentence(event), highlight=False, markup=False)
            if state.is_final and task.done() is not None:
                run_service.refresh(run_id)
                return state
            progress.update(bar, completed=min(limit, _used(task)), description=stage or "Starting")
            time.sleep(_POLL_SECONDS)


def print_report(report: Report, *, as_json: bool) -> None:
    """Print a run's result on standard output, and on standard error what went wrong."""
    result = report.result
    if as_json:
        typer.echo(json.dumps(report_answer(report)))
    elif result is not None:
        say(split_line(report.experiment.recipe.split, result.rows))
        say(model_text.headline(result, report.experiment.recipe.unit))
        say(model_text.versus_baseline(result))
        ahead = ahead_words(result, result.best_model, report.experiment.recipe.unit)
        if ahead:
            say(ahead)
        for row in result.leaderboard:
            rmse = f"{number(row.rmse, 5) if row.rmse is not None else '':>12}"
            r2 = f"{row.r2:>7.3f}" if row.r2 is not None else " " * 7
            say(f"{row.model:<18}{row.role:<10}{rmse}{r2}  {row.note}")
        _print_worth(result)
        unit = report.experiment.recipe.unit
        if result.over_time is not None:
            say(f"Will it work tomorrow? {later_rows_text.over_time_words(result.over_time, unit)}")
        for sentence in later_rows_text.unseen_words(result.unseen, unit):
            say(sentence)
        say(f"Run {report.run_id} in {report.run_dir}")
    if report.state is not RunState.COMPLETED:
        say(f"The run is {report.state}. {report.reason} {report.hint}".strip(), err=True)
    elif report.reason:
        # The latest continuation ended badly; what there was before it stays.
        say(f"It could not be continued. {report.reason} {report.hint}".strip(), err=True)


def _print_worth(result: TrainResult) -> None:
    answer = " ".join(sentence for sentence in verdict_text.worth_words(result) if sentence)
    if not answer:
        return
    say(f"Was deep learning worth it? {answer}")
    missing = verdict_text.missing_words(result)
    if missing:
        say(missing)
    for line in row_records(verdict_text.worth_table(result)):
        error = f"error {line['mae']} ({line['mae_interval']}), RMSE {line['rmse']} ({line['rmse_interval']})"
        say(f"  against {line['against']}: {error}; training {line['fit']}, predicting {line['speed']}")


def _used(task: TaskFolder) -> float:
    return task.used_seconds()


def _sentence(event: Event) -> str:
    data = event.data
    match event.kind:
        case "stage":
            text = data["name"]
        case "model_started":
            text = f"Training {data['model']} for {data['epochs']} epochs"
        case "model_taken":
            text = f"{data['model']} is there already: validation RMSE {number(data['validation'], 5)}"
        case "model_finished":
            text = f"{data['model']}: validation RMSE {number(data['validation'], 5)} after {data['seconds']:.0f} s"
        case "model_skipped" | "model_failed":
            text = f"{data['model']}: {data['reason']}"
        case "log":
            text = data["text"]
        case _:
            text = ""
    return visible(text)
