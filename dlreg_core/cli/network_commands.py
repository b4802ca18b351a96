"""The command about networks: which there are, and how it stands with the weights of the pre-trained ones."""

from __future__ import annotations

import getpass
import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table

from dlreg_core.cli.run_commands import AsJson
from dlreg_core.cli.terminal_progress import say
from dlreg_core.networks import FAMILIES, PRETRAINED, Pretrained, pretrained, pretrained_answer, trained_answer
from dlreg_core.pretrained_weights import Weights, WeightState, open_weights
from dlreg_core.settings import load_settings

model_app = typer.Typer()

_HERE: dict[str, Any] = {"state": "trained here", "reason": "", "folder": None, "sha256": {}}


@model_app.command()
def models(
    fetch: Annotated[str, typer.Option(help="Fetch the weights of this pre-trained network first.")] = "",
    weights_dir: Annotated[Path | None, typer.Option(help="Where weights are kept.")] = None,
    accept_licence: Annotated[str, typer.Option(help="Accept the licence of this network's weights first.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the networks, those that are trained here and those that were trained before."""
    settings = load_settings()
    if weights_dir is not None:
        settings = settings.model_copy(update={"weights_dir": weights_dir.expanduser().resolve()})
    weights = open_weights(settings)
    if accept_licence:
        weights.accept_licence(accept_licence, getpass.getuser())
        chosen = pretrained(accept_licence)
        say(f"{chosen.title}: {chosen.weights_licence} is accepted. {chosen.condition}".strip(), err=True)
    if fetch:
        say(f"{pretrained(fetch).title}: {_fetched(weights, fetch)}", err=True)
    states = [(known, weights.state(known.key)) for known in PRETRAINED]
    if as_json:
        trained = [trained_answer(family) | _HERE for family in FAMILIES]
        typer.echo(json.dumps(trained + [_pretrained_answer(known, state) for known, state in states]))
        return
    Console().print(_table(states), highlight=False)
    for line in _hints(states):
        say(line)


def _fetched(weights: Weights, key: str) -> Path:
    """Fetch weights, and show on a terminal how far it is."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bars: dict[str, Any] = {}

        def told(file: str, done: int, total: int) -> None:
            if file not in bars:
                bars[file] = progress.add_task(file)
            progress.update(bars[file], completed=done, total=total or None)

        return weights.fetch(key, told)


def _table(states: list[tuple[Pretrained, WeightState]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("network", "key", "licence", "commercial", "download", "state"):
        justify: Literal["left", "right"] = "right" if column == "download" else "left"
        table.add_column(column, overflow="fold", justify=justify, no_wrap=column in ("network", "key"))
    for family in FAMILIES:
        table.add_row(family.title, family.key, family.licence, "yes", "nothing", "trained here")
    for known, state in states:
        size = f"{known.megabytes:.0f} MB" if known.megabytes is not None else "?"
        free = "yes" if known.commercial else "no"
        table.add_row(known.title, known.key, known.weights_licence, free, size, state.status.value)
    return table


def _hints(states: list[tuple[Pretrained, WeightState]]) -> list[str]:
    """Return what is in the way of the networks that can't be used, those with the same reason together."""
    reasons: dict[str, list[str]] = {}
    for known, state in states:
        if not state.usable:
            reasons.setdefault(state.words, []).append(known.title)
    return [f"{', '.join(titles)}: {words}" for words, titles in reasons.items()]


def _pretrained_answer(known: Pretrained, state: WeightState) -> dict[str, Any]:
    """Return what the catalogue says of a pre-trained network, and how it stands with its weights here."""
    return pretrained_answer(known) | {
        "state": state.status.value,
        "reason": "" if state.usable else state.words,
        "folder": str(state.folder),
        "sha256": state.sha256,
    }
