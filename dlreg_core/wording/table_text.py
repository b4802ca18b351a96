"""What a table holds and how it is prepared, in words."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from dlreg_core.formatting import CURRENCIES, number, observed, percent, quantity
from dlreg_core.recipe import StepPreview
from dlreg_core.specs import Column, ColumnType, Dataset, Dialect, FillMethod, Recipe, RowCounts, TransformName

TYPE_WORDS = {
    ColumnType.NUMBER: "number",
    ColumnType.CATEGORY: "category",
    ColumnType.DATETIME: "date",
    ColumnType.TEXT: "text",
    ColumnType.BOOLEAN: "yes/no",
    ColumnType.IDENTIFIER: "identifier",
    ColumnType.CONSTANT: "constant",
}
ORDINAL = "ordinal"
"""A category whose levels have an order."""
_PLURALS = {
    ColumnType.NUMBER: "numbers",
    ColumnType.CATEGORY: "categories",
    ColumnType.DATETIME: "dates",
    ColumnType.TEXT: "texts",
    ColumnType.BOOLEAN: "yes/no",
    ColumnType.IDENTIFIER: "identifiers",
    ColumnType.CONSTANT: "constants",
}
TYPE_HELP = (
    "What the networks get of each type.  \n"
    "**number**: the number.  \n"
    "**category**: each level on its own.  \n"
    "**ordinal**: the place of the level, from the lowest to the highest.  \n"
    "**date**: days since the first one, year, month, day, weekday and hour; of a time of day, the hour.  \n"
    "**text**: up to 12 figures for the words and pairs of words in it; TabM and RealMLP also count its terms.  \n"
    "**yes/no**: one of two levels.  \n"
    "**identifier**, **constant**: nothing, they say nothing about new rows."
)
TRANSFORM_WORDS: dict[TransformName, str] = {
    "none": "its plain value",
    "log": "its logarithm",
    "box-cox": "Box-Cox",
    "yeo-johnson": "Yeo-Johnson",
}
"""What networks learn of the target, behind "Learn it as"."""
FILL_WORDS: dict[FillMethod, str] = {
    "median": "the median",
    "mean": "the mean",
    "most_frequent": "the most frequent value",
    "zero": "zero",
    "constant": "a fixed value",
    "knn": "the mean of similar rows",
    "iterative": "what the other columns say",
    "keep": "nothing: leave them empty",
}
DELIMITER_WORDS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_LEVELS = 3


def table_words(dataset: Dataset) -> str:
    """Return the types of the columns and the gaps: "1 category, 9 numbers · 1 % of total_bedrooms missing"."""
    counts = Counter(type_words(column) for column in dataset.columns)
    plurals = {TYPE_WORDS[kind]: plural for kind, plural in _PLURALS.items()} | {ORDINAL: "ordinals"}
    types = ", ".join(
        f"{counts[word]} {plural if counts[word] > 1 else word}" for word, plural in plurals.items() if counts[word]
    )
    return f"{types} · {_gaps(dataset)}"


def type_words(column: Column) -> str:
    """Return the type of a column in a word: categories whose levels have an order are ordinal."""
    return ORDINAL if column.ordered else TYPE_WORDS[column.type]


def dialect_words(dialect: Dialect | None) -> str:
    """Return how a file was read: "Read as: commas, UTF-8, header in the first line"."""
    if dialect is None or dialect.file in ("Parquet", "Feather"):
        kind = "Parquet" if dialect is None else dialect.file
        return f"Read as: {kind}, with the types that the file carries"
    if dialect.file == "JSON":
        return "Read as: JSON, an object for each row"
    header = _header_words(dialect.header_row)
    if dialect.unit_rows:
        header += ", units below it"
    if dialect.file == "workbook":
        return f"Read as: workbook, sheet {dialect.sheet}, {header}"
    parts = [DELIMITER_WORDS.get(dialect.delimiter, f"separated by {dialect.delimiter}"), dialect.encoding.upper()]
    if dialect.decimal != ".":
        parts.append("decimal comma")
    return f"Read as: {', '.join([*parts, header])}"


def _header_words(row: int | None) -> str:
    if row is None:
        return "no header"
    return "header in the first line" if row == 0 else f"header in line {row + 1:,}"


def values_words(column: Column) -> str:
    """Return what a column holds: its range, its first and last day, or its most frequent levels."""
    if isinstance(column.minimum, str) and isinstance(column.maximum, str):
        part = slice(11, 16) if column.time_of_day else slice(10)
        return f"{column.minimum[part]} to {column.maximum[part]}"
    if column.minimum is not None and column.maximum is not None:
        low, high = _exact(column, float(column.minimum)), _exact(column, float(column.maximum))
        if column.unit in CURRENCIES:
            low, high = f"{column.unit}{low}", f"{column.unit}{high}"
        unit = f" {column.unit}" if column.unit and column.unit not in CURRENCIES else ""
        return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"
    shown = ", ".join(level.value for level in column.levels[:_LEVELS])
    return f"{shown}, …" if shown and column.distinct > _LEVELS else shown


def readable_moments(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with dates as people write them: without the time if it is midnight, times of day without a day."""
    changed = {}
    for name in rows.columns[[kind.kind == "M" for kind in rows.dtypes]]:
        known = rows[name].dropna()
        days = known.dt.normalize()
        if known.empty or (known != days).any():
            pattern = "%H:%M:%S" if (days == pd.Timestamp(0)).all() and len(known) else "%Y-%m-%d %H:%M:%S"
        else:
            pattern = "%Y-%m-%d"
        changed[name] = rows[name].dt.strftime(pattern)
    return rows.assign(**changed) if changed else rows


def target_words(column: Column, unit: str) -> str:
    """Return the range and the middle of a target: "From $15,000 to $500,001, half of them below $180,000."."""
    if not isinstance(column.minimum, float) or not isinstance(column.maximum, float):
        return ""
    text = f"From {observed(column.minimum, unit)} to {observed(column.maximum, unit)}"
    return f"{text}, half of them below {quantity(column.median, unit)}."


def repair_words(step: StepPreview, how: str = "") -> str:
    """Return what a repair does here: "Fill 207 missing numbers in total_bedrooms with the median"."""
    count, where = f"{step.count:,}", _listed(step.columns)
    one = step.count == 1
    rows, numbers, categories = ("row", "number", "category") if one else ("rows", "numbers", "categories")
    have, are, repeat = ("has", "is", "repeats") if one else ("have", "are", "repeat")
    change = "changes" if len(step.columns) == 1 else "change"
    texts = {
        "missing_target": f"{count} {rows} {have} no target and {are} left out: nothing can be learned from them.",
        "drop_duplicates": f"Leave out {count} {rows} that {repeat} an earlier one",
        "drop_constant": f"Leave out {where}, which never {change}",
        "impute_numbers": f"Fill {count} missing {numbers} in {where} {how}".strip(),
        "impute_categories": f"Fill {count} missing {categories} in {where} {how}".strip(),
    }
    return texts.get(step.key, step.title)


def cleaning_words(recipe: Recipe) -> str:
    """Return what was chosen beyond the usual cleaning: "outliers in rooms clipped, price learned as its logarithm"."""
    cleaning, parts = recipe.cleaning, []
    clipped = tuple(name for name, rule in cleaning.outliers.items() if rule.act == "clip")
    if clipped:
        parts.append(f"outliers in {_listed(clipped)} clipped")
    if cleaning.isolation or len(clipped) < len(cleaning.outliers):
        parts.append("training rows with outliers left out")
    if cleaning.impute_numbers != "median":
        parts.append(f"missing numbers filled with {FILL_WORDS[cleaning.impute_numbers]}")
    parts += [f"gaps of {name} filled with {FILL_WORDS[fill.method]}" for name, fill in cleaning.fills.items()]
    made = [one.name for one in cleaning.combinations]
    made += [one.name for one in recipe.history.columns] if recipe.history is not None else []
    if made:
        parts.append(f"added: {', '.join(made)}")
    if cleaning.scaling:
        parts.append(f"scaled: {_listed(tuple(cleaning.scaling))}")
    if recipe.target_transform != "none":
        parts.append(f"{recipe.target} learned as {TRANSFORM_WORDS[recipe.target_transform]}")
    return "; ".join(parts)


def rows_words(counts: RowCounts) -> str:
    """Return what became of the rows that none of the three parts holds; empty where there is none."""
    parts = []
    if counts.dropped_missing_target:
        parts.append(f"{counts.dropped_missing_target:,} without a target")
    if counts.dropped_duplicates:
        parts.append(f"{counts.dropped_duplicates:,} repeated")
    if counts.dropped_gap:
        parts.append(f"{counts.dropped_gap:,} in the gaps")
    if counts.dropped_unplaced:
        parts.append(f"{counts.dropped_unplaced:,} without a value in the column that the split goes by")
    text = f"Left out: {', '.join(parts)}." if parts else ""
    if counts.outlying:
        rows = "row teaches" if counts.outlying == 1 else "rows teach"
        text = f"{text} {counts.outlying:,} training {rows} nothing because of outliers."
    if counts.drawn:
        text = f"{text} Of the {counts.drawn_from:,} rows, {counts.drawn:,} are used, drawn at random."
    return text.strip()


def _exact(column: Column, value: float) -> str:
    """Return a value as it stands in the table; a year has no thousands separator."""
    low, high = column.minimum, column.maximum
    looks_like_years = (
        column.integer and isinstance(low, float) and isinstance(high, float) and 1000 <= low <= high <= 2100
    )
    return f"{value:.0f}" if looks_like_years else observed(value)


def _gaps(dataset: Dataset) -> str:
    holed = [column for column in dataset.columns if column.missing]
    if not holed:
        return "nothing missing"
    worst = percent(max(column.missing for column in holed) / dataset.rows)
    if len(holed) == 1:
        return f"{worst} of {holed[0].name} missing"
    return f"{number(len(holed))} columns with gaps, up to {worst} missing"


def _listed(columns: tuple[str, ...]) -> str:
    if len(columns) <= _LEVELS:
        return ", ".join(columns)
    return f"{len(columns)} columns"
