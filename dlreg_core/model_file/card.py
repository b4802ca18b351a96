"""The model card: the README of a model file, in the form that Hugging Face uses."""

from __future__ import annotations

from dlreg_core.cleaning import SchemaField
from dlreg_core.model_file.manifest import Manifest
from dlreg_core.names import shortened, visible
from dlreg_core.specs import ColumnType, Experiment, Recipe, RowCounts, TrainResult
from dlreg_core.wording import ahead_words, cleaning_words, held_words, model_text, width_by, worth_words
from dlreg_core.wording import escaped_sparingly as escaped

_MOST_OF_LEVEL = 80

_TEMPLATE = """---
library_name: dlreg
pipeline_tag: tabular-regression
tags:
- tabular
- regression
- autogluon
model-index:
- name: {name}
  results:
  - task:
      type: tabular-regression
    dataset:
      name: {dataset}
      type: tabular
    metrics:
    - type: rmse
      value: {rmse:.6g}
    - type: mae
      value: {mae:.6g}
    - type: r_squared
      value: {r2:.6g}
---

# {title}

Predicts **{target}**{unit} from {inputs} columns, with {model}.

{headline}
{versus}
{worth}

## How to use it

```
python -m venv venv
venv/bin/pip install -r requirements.txt
venv/bin/python predict.py rows.csv out.csv
```

`out.csv` holds the columns of `rows.csv`, `prediction`, and `low` and `high`, the ends of the 90 % prediction interval.
`python predict.py --check` compares all files with their hashes{again}. It needs Python
{python}. Loading runs code that is stored in this folder: use it only if you trust whoever made it.

## What it needs

| column | type | seen in training |
|---|---|---|
{columns}

## How it was made

- Data: {data}, {rows}, {test:,} to judge. Split: {split}.
- Cleaning: {cleaning}
- The figures above are from the {test:,} test rows, which chose nothing.
- Trained on {date} with {versions}.

## What it holds of the data

{held}

## Limits

- It knows only what its training rows show. Values outside the ranges above, and levels it has never seen, are answered
  without experience; `predict.py` names them.
- {coverage}
- A prediction is no cause: changing a column in the world need not change the target as the model says.
"""


def model_card(manifest: Manifest, experiment: Experiment, result: TrainResult) -> str:
    """Return the model card as Markdown with YAML front matter."""
    row, unit = manifest.metrics, manifest.unit
    is_best = manifest.model == result.best_model
    ranges = model_text.coverage_words(row, manifest.rows, unit, width_by(result))
    limits = (ranges, ahead_words(result, manifest.model, unit))
    return _TEMPLATE.format(
        name=_yaml(manifest.name),
        dataset=_yaml(experiment.dataset_name),
        title=escaped(manifest.name),
        rmse=row.rmse or 0.0,
        mae=row.mae or 0.0,
        r2=row.r2 or 0.0,
        target=escaped(manifest.target),
        unit=f" in {escaped(unit)}" if unit else "",
        inputs=len(manifest.inputs.fields),
        model=escaped(manifest.model),
        headline=escaped(
            model_text.headline(result, unit)
            if is_best
            else f"On average it is off by {model_text.quantity(row.mae, unit)}."
        ),
        versus=escaped(model_text.versus_baseline(result) if is_best else ""),
        worth=escaped(worth_words(result)[1] if is_best else ""),
        again=" and predicts the reference rows again" if manifest.held is None or manifest.held.reference_rows else "",
        python=manifest.versions["python"],
        columns="\n".join(_line(field) for field in manifest.inputs.fields),
        data=escaped(experiment.dataset_name),
        rows=_rows(manifest.rows),
        test=manifest.rows.test,
        split=escaped(_split(experiment)),
        cleaning=escaped(_cleaning(experiment.recipe)),
        held="\n".join(f"- {escaped(sentence)}" for sentence in held_words(manifest.held)),
        date=f"{manifest.created:%d %B %Y}",
        versions=escaped(", ".join(f"{name} {pin}" for name, pin in manifest.versions.items())),
        coverage=escaped(" ".join(sentence for sentence in limits if sentence)),
    )


def _line(field: SchemaField) -> str:
    if field.type in (ColumnType.NUMBER, ColumnType.DATETIME) and field.minimum is not None:
        part = slice(11, 16) if field.time_of_day else slice(10)
        low, high = (f"{v:g}" if isinstance(v, float) else str(v)[part] for v in (field.minimum, field.maximum))
        seen = f"{low} to {high}"
    else:
        shown = ", ".join(shortened(level, _MOST_OF_LEVEL) for level in field.levels[:8])
        seen = escaped(shown) + (f" and {len(field.levels) - 8} more" if len(field.levels) > 8 else "")
    return f"| {escaped(field.name)} | {field.type.value} | {seen} |"


def _rows(rows: RowCounts) -> str:
    if rows.folds:
        return f"{rows.train:,} rows to train and, in {rows.folds} folds, to choose between models"
    return f"{rows.train:,} rows to train, {rows.validation:,} to choose between models"


def _split(experiment: Experiment) -> str:
    split = experiment.recipe.split
    words_for = {
        "random": "random rows",
        "time": f"by time ({split.column}); the newest rows judge",
        "group": f"by group ({split.column}); groups stay together",
        "own": "an own test file",
    }
    return words_for[split.kind]


def _cleaning(recipe: Recipe) -> str:
    """Return how the table was cleaned."""
    return f"{cleaning_words(recipe) or 'as usual'}."


def _yaml(text: str) -> str:
    """Return `text` as a quoted YAML scalar."""
    return "'" + visible(text).replace("'", "''") + "'"
