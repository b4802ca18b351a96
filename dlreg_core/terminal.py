"""A run's progress on a terminal."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dlreg_core.jobs import Dispatcher
from dlreg_core.runs import TaskFolder
from dlreg_core.specs import Event, RunState, now

_POLL_SECONDS = 0.2


def watch(dispatcher: Dispatcher, run_id: str, *, quiet: bool) -> RunState:
    """Wait until a run has ended, and show on standard error what it does.

    Parameters
    ----------
    dispatcher : Dispatcher
        It is asked to look after the queue meanwhile, since no server may be there to do so.
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
    task = dispatcher.store.folder(run_id).train_task()
    limit = task.run.experiment().plan.time_limit
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("Waiting for a free slot", total=limit)
        offset, stage = 0, ""
        while True:
            state = dispatcher.store.refresh(run_id)
            log = task.events(offset)
            offset = log.offset
            for event in log.events:
                stage = _sentence(event) or stage
                if not quiet and not console.is_terminal and _sentence(event):
                    console.print(_sentence(event), highlight=False)
            if state.is_final:
                return state
            progress.update(bar, completed=min(limit, _used(task)), description=stage or "Starting")
            dispatcher.tick()
            time.sleep(_POLL_SECONDS)


def _used(task: TaskFolder) -> float:
    return (now() - task.launched()).total_seconds()


def _sentence(event: Event) -> str:
    data = event.data
    match event.kind:
        case "stage":
            return str(data["name"])
        case "model_started":
            return f"Training {data['model']} for {data['epochs']} epochs"
        case "model_finished":
            return f"{data['model']}: validation RMSE {data['validation']:.5g} after {data['seconds']:.0f} s"
        case "model_skipped" | "model_failed":
            return f"{data['model']}: {data['reason']}"
        case "log":
            return str(data["text"])
    return ""
