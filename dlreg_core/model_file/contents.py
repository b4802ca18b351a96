"""What a model file holds of the rows that were learned from: looked up in what is written, not told from memory."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import pandas as pd

from dlreg_core.cleaning import Cleaner, ExpandTexts, FillByNeighbours, Schema, SchemaField
from dlreg_core.networks import is_pretrained
from dlreg_core.pipeline.fitted_pipeline import Pipeline
from dlreg_core.specs import ColumnType, DataHeld, PlannedFit, RowsHeld, TrainResult, ValuesFound

PRIVATE = (ColumnType.IDENTIFIER, ColumnType.TEXT)
"""Types of columns whose values are left out of what is only there to look at or to test with."""

_LOOKED_FOR = 200
_SHORTEST = 5
"""Shorter texts are found by chance."""


def blanked_schema(schema: Schema, private: Collection[str], *, typical: bool) -> Schema:
    """Return a schema without the levels and typical values of private columns; without any typical ones if asked."""
    return Schema(fields=tuple(_blanked(f, f.name in private, typical) for f in schema.fields), written=schema.written)


def _blanked(field: SchemaField, private: bool, typical: bool) -> SchemaField:
    update: dict[str, object] = {"levels": ()} if private else {}
    if private or not typical:
        update["typical"] = None
    return field.model_copy(update=update)


def data_held(place: Path, reference: pd.DataFrame | None, private: Collection[str], result: TrainResult) -> DataHeld:
    """Say what a model file that is written holds of the rows that were learned from.

    Parameters
    ----------
    place : Path
        Its folder, before it is packed.
    reference : pandas.DataFrame, optional
        The rows in ``reference.csv``, where there are some.
    private : collection of str
        Columns that were blanked.
    result : TrainResult
        What the run found.
    """
    pipeline = Pipeline(place / "model")
    cleaner = pipeline.spec.cleaner
    fields = cleaner.schema_.fields
    context = _context(pipeline, result)
    return DataHeld(
        reference_rows=0 if reference is None else len(reference),
        blanked=tuple(field.name for field in fields if field.name in private),
        ranges=tuple(field.name for field in fields if field.minimum is not None),
        typical=tuple(field.name for field in fields if field.typical is not None),
        levels=_levels(fields),
        terms=_terms(cleaner),
        similar=_similar(cleaner),
        last=_last(cleaner),
        context=tuple(sorted({fit.model for fit in context})),
        context_rows=max((fit.rows or result.rows.train for fit in context), default=0),
    )


def _levels(fields: Iterable[SchemaField]) -> dict[str, int]:
    """Return how many values of each column stand in the description of the columns."""
    counts = {f.name: len({*f.levels, *f.order, *f.merged_labels}) for f in fields}
    return {name: count for name, count in counts.items() if count}


def _terms(cleaner: Cleaner) -> dict[str, int]:
    """Return how many words and pairs of words of each text column are looked for."""
    steps = [step for step in cleaner.steps if isinstance(step, ExpandTexts)]
    return {name: len(terms.terms) for step in steps for name, terms in step.columns.items()}


def _similar(cleaner: Cleaner) -> RowsHeld | None:
    """Return the training rows that are kept to fill gaps by."""
    for step in cleaner.steps:
        if isinstance(step, FillByNeighbours):
            return RowsHeld(rows=len(step.rows), columns=step.columns)
    return None


def _last(cleaner: Cleaner) -> RowsHeld | None:
    """Return the last rows of the table that are kept as the past of new ones."""
    past = cleaner.past
    if past is None:
        return None
    history = past.history
    group = () if history.group is None else (history.group,)
    return RowsHeld(rows=len(past.moments), columns=(history.order, *group, *past.sources))


def _context(pipeline: Pipeline, result: TrainResult) -> list[PlannedFit]:
    """Return the pre-trained networks: each holds the rows that it reads with every prediction."""
    wanted = {name for model in pipeline.models for name in model.parts}
    return [fit for fit in result.plan.fits if fit.model in wanted and is_pretrained(fit.family)]


# --- looking into the fitted models -----------------------------------------------------------------------------------


def values_found(model: Path, rows: pd.DataFrame, private: Collection[str]) -> Mapping[str, ValuesFound]:
    """Look for values of private columns in the files of a fitted model, as they stand in the table.

    Parameters
    ----------
    model : Path
        The folder of the model.
    rows : pandas.DataFrame
        Rows that were learned from.
    private : collection of str
        Which columns.

    Returns
    -------
    mapping of str to ValuesFound
        By column, how many different values were looked for, 200 at most, and how many of them were found.
    """
    wanted = {name: _distinct(rows[name]) for name in private if name in rows.columns}
    wanted = {name: values for name, values in wanted.items() if values}
    if not wanted:
        return {}
    found: dict[str, set[bytes]] = {name: set() for name in wanted}
    for path in sorted(model.rglob("*")):
        if not path.is_file():
            continue
        content = _content(path)
        for name, values in wanted.items():
            found[name] |= {value for value in values - found[name] if value in content}
    return {name: ValuesFound(looked=len(wanted[name]), found=len(found[name])) for name in sorted(wanted)}


def _distinct(values: pd.Series) -> frozenset[bytes]:
    texts = (str(value) for value in values.dropna().drop_duplicates())
    return frozenset([text.encode() for text in texts if len(text) >= _SHORTEST][:_LOOKED_FOR])


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix == ".joblib":
        return zlib.decompress(content)
    return content
