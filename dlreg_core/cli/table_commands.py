"""The commands about tables: what a file holds and how it was read, and which tables are kept here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dlreg_core.checks.findings import Finding, findings
from dlreg_core.cli.run_commands import AsJson, DayFirst
from dlreg_core.cli.terminal_progress import say
from dlreg_core.errors import NotFoundError
from dlreg_core.formatting import percent, size
from dlreg_core.ingest.datasets import read_dataset
from dlreg_core.ingest.inference import named_column, names_hint
from dlreg_core.jobs import open_run_service
from dlreg_core.names import visible
from dlreg_core.report import data_answer, profile_answer
from dlreg_core.settings import load_settings
from dlreg_core.specs import Dataset, Reading
from dlreg_core.wording import age_words, dialect_words, type_words, used_by_words, values_words

table_app = typer.Typer()

_STYLES = {"high": "bold red", "medium": "yellow", "low": "dim"}


@table_app.command()
def profile(
    data: Annotated[Path, typer.Argument(help="The table: CSV, Excel, Parquet, Feather or JSON, packed or not.")],
    target: Annotated[str, typer.Option(help="The column to predict: what gives it away is looked for as well.")] = "",
    sheet: Annotated[str, typer.Option(help="The sheet of a workbook; by default the first that isn't empty.")] = "",
    day_first: DayFirst = None,
    as_json: AsJson = False,
) -> None:
    """Show what a table holds, how it was read, and what to look at before anything is learned from it."""
    dataset, rows = read_dataset(data, reading=Reading(sheet=sheet or None, day_first=day_first))
    found_target = named_column(target, dataset.column_names)
    if target and found_target is None:
        raise NotFoundError(f"{dataset.name} has no column {target}.", names_hint(target, dataset.column_names))
    found = findings(dataset, rows, found_target)
    if as_json:
        typer.echo(json.dumps(profile_answer(dataset, found)))
        return
    console = Console()
    console.print(Text(f"{dataset.name}: {dataset.rows:,} rows × {len(dataset.columns):,} columns"), highlight=False)
    console.print(Text(visible(dialect_words(dataset.dialect))), highlight=False)
    console.print(_columns(dataset), highlight=False)
    for finding in found:
        console.print(_line(finding), highlight=False)


@table_app.command()
def data(as_json: AsJson = False) -> None:
    """List the data sets that are kept, the one that was opened last first."""
    found = open_run_service(load_settings()).data.list()
    if as_json:
        typer.echo(json.dumps([data_answer(kept) for kept in found]))
        return
    for kept in found:
        known = kept.dataset
        shape = f"{known.rows:,} × {len(known.columns):,}" if known is not None else ""
        told = f"{kept.name}  {used_by_words([run.name for run in kept.runs])}"
        say(f"{kept.dataset_id}  {shape:>14}  {size(kept.size_mb):>7}  {age_words(kept.opened):<12}  {told}")


def _columns(dataset: Dataset) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("column", "type", "values", "different", "missing"):
        table.add_column(name, justify="right" if name in ("different", "missing") else "left", overflow="fold")
    for column in dataset.columns:
        missing = percent(column.missing / dataset.rows) if column.missing else ""
        cells = (column.name, type_words(column), values_words(column), f"{column.distinct:,}", missing)
        # What stands in a file is no markup.
        table.add_row(*(Text(visible(cell)) for cell in cells))
    return table


def _line(finding: Finding) -> Text:
    name = f"{finding.title}: " if finding.title else ""
    told = visible(f"{name}{finding.text} {finding.repair}".strip())
    line = Text(f"{finding.severity:<6} ", style=_STYLES[finding.severity])
    return line.append(told, style="default")
