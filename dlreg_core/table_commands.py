"""The command about tables: what a file holds, and how it was read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dlreg_core.charts.numbers import percent
from dlreg_core.errors import NotFoundError
from dlreg_core.ingest import read_dataset
from dlreg_core.ingest.findings import Finding, findings
from dlreg_core.ingest.near_names import named_column, names_hint
from dlreg_core.names import visible
from dlreg_core.report.answers import profile_answer
from dlreg_core.report.table_words import dialect_words, type_words, values_words
from dlreg_core.run_commands import AsJson, DayFirst
from dlreg_core.specs import Dataset, Reading

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
