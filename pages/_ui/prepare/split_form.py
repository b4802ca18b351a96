"""Prepare: which rows train, which choose between models, and which judge."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlreg_core.charts.data.split_bar import SplitBar
from dlreg_core.checks import few_rows_warning, group_columns, time_columns
from dlreg_core.errors import RecipeError
from dlreg_core.recipe import Draft
from dlreg_core.specs import ROW_ORDER, ColumnType, Dataset, Recipe
from dlreg_core.wording import advice_words, folds_words, row_order_words, rows_words
from pages._ui.data.upload_form import upload
from pages._ui.prepare import draft_session, probe_results, split_checks, starting_split
from pages._ui.shared import error_display, services
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import picture

_KINDS = {"random": "Random", "time": "By time", "group": "By group", "own": "My own test file"}
_MEANING = {
    "random": "Rows are drawn by chance.",
    "time": "The oldest rows train, the newest judge.",
    "group": "Rows of one group stay together, so that the models are judged on groups they have never seen.",
    "own": "The rows of your file judge; those of this table train and choose between models.",
}
_PARTS = {
    "validation": ("Validation rows", "They choose between the models, and the networks stop by them."),
    "test": ("Test rows", "They judge the models, and choose nothing."),
}
_SHARES = list(range(5, 45, 5))
_FOLDS = [0, *range(2, 21)]
_CHOOSE_BY = {"auto": "Automatic", "holdout": "Validation rows", "folds": "Folds"}
_CHOOSE_HELP = (
    "**Validation rows** are kept from training. With **folds**, every row trains and chooses: each network is trained "
    "once for each fold of the rows, without it, and is compared by what it predicts there. That makes more of a small "
    "table and takes more time. **Automatic** takes folds where the rows are few for the time."
)


def split(dataset: Dataset, draft: Draft) -> Draft:
    """Let a person choose how the rows are divided; it starts with what was measured to be honest."""
    found = starting_split.advice(dataset, draft)
    if found is None:
        starting_split.watch(dataset, draft)
    else:
        draft = starting_split.started(draft, found)
    # What was measured later than the page was shown is another start, and the fields begin with that.
    start = "" if found is None else f"{found.kind}_{found.column}"
    kind = st.radio(
        "How the rows are divided",
        list(_KINDS),
        index=list(_KINDS).index(draft.kind),
        format_func=_KINDS.__getitem__,
        horizontal=True,
        key=f"split_{dataset.id}_{start}",
        label_visibility="collapsed",
    )
    st.markdown(f":gray[{_MEANING[kind]}]")
    changes: dict[str, Any] = {"kind": kind}
    with st.container(horizontal=True, gap="medium", vertical_alignment="top"):
        if kind in ("time", "group"):
            changes["column"] = _column(dataset, draft, kind, start)
        changes |= _shares(dataset, draft, kind, changes.get("column"))
    folds = changes.get("choose_by") == "folds"
    if kind in ("random", "own") and not folds:
        changes["stratified"] = st.checkbox(
            "Small and large targets in the same proportions in each part",
            draft.stratified,
            key=f"stratified_{dataset.id}",
            help="The rows are sorted by their target, and each run of 20 neighbours is divided like the whole.",
        )
    if kind == "own":
        _own_file(dataset, draft, changes)
    if any(getattr(draft, name) != value for name, value in changes.items()):
        # Shares and seeds belong to any split: only whoever takes another kind or column has chosen one.
        moved = changes["kind"] != draft.kind or (draft.column and changes.get("column", draft.column) != draft.column)
        draft = draft_session.change(draft, **changes, split_chosen=draft.split_chosen or bool(moved))
    return draft


def _column(dataset: Dataset, draft: Draft, kind: str, start: str) -> str | None:
    names = time_columns(dataset, draft.target) if kind == "time" else group_columns(dataset, draft.target)
    if not names:
        return None
    return st.selectbox(
        "Order the rows by" if kind == "time" else "Keep rows together that share",
        names,
        index=names.index(draft.column) if draft.column in names else 0,
        key=f"split_{kind}_{dataset.id}_{draft.target}_{start}",
        width=210,
    )


def _shares(dataset: Dataset, draft: Draft, kind: str, column: str | None) -> dict[str, Any]:
    shares: dict[str, Any] = {}
    if kind != "time":
        shares["choose_by"] = st.selectbox(
            "Models are chosen by",
            list(_CHOOSE_BY),
            index=list(_CHOOSE_BY).index(draft.choose_by),
            format_func=_CHOOSE_BY.__getitem__,
            key=f"choose_by_{dataset.id}",
            width=160,
            help=_CHOOSE_HELP,
        )
    if shares.get("choose_by") == "folds":
        shares["folds"] = st.selectbox(
            "Folds",
            _FOLDS,
            index=_FOLDS.index(draft.folds) if draft.folds in _FOLDS else 0,
            format_func=lambda count: str(count) if count else "Automatic",
            key=f"folds_{dataset.id}",
            width=130,
            help="Into how many parts the rows that aren't for the test are divided. Automatic: 8 up to 2,500 rows, "
            "5 above.",
        )
    for part, (label, meaning) in _PARTS.items():
        if (kind == "own" and part == "test") or (
            part == "validation" and shares.get("choose_by", "holdout") != "holdout"
        ):
            continue
        now = round(getattr(draft, part) * 100)
        percent = st.select_slider(
            label,
            sorted({*_SHARES, now}),
            value=now,
            format_func=lambda share: f"{share} %",
            key=f"share_{part}_{dataset.id}",
            width=210,
            help=meaning,
        )
        shares[part] = percent / 100
    if kind == "time":
        shares["gap"] = _gap(dataset, draft, column)
    if kind in ("random", "group", "own"):
        shares["seed"] = st.number_input(
            "Seed",
            min_value=0,
            max_value=2**31 - 1,
            value=draft.seed,
            key=f"seed_{dataset.id}",
            width=110,
            help="The same seed divides the rows in the same way every time.",
        )
    return shares


def _gap(dataset: Dataset, draft: Draft, column: str | None) -> float:
    dated = column not in (None, ROW_ORDER) and dataset.column(str(column)).type is ColumnType.DATETIME
    return float(
        st.number_input(
            "Gap, days" if dated else "Gap",
            min_value=0.0,
            value=draft.gap,
            step=1.0,
            format="%g",
            key=f"gap_{dataset.id}",
            width=130,
            help="Rows so shortly before the validation rows, and before the test rows, are left out: what happened "
            f"just before says much about what comes next. In {'days' if dated else 'the numbers of that column'}.",
        )
    )


def _own_file(dataset: Dataset, draft: Draft, changes: dict[str, Any]) -> None:
    added = upload(
        "A file with the same columns, whose rows judge the models",
        "test",
        lambda content, name: services.reader_store().add_own_test(content, name, dataset),
    )
    if added is not None:
        draft_session.change(draft, **changes, test_dataset=added.id)
        st.rerun()
    if draft.test_dataset is not None:
        with error_display.shown():
            file = services.dataset(draft.test_dataset)
            st.markdown(f":material/check: **{escaped(file.name)}**: {file.rows:,} rows")


def outcome(dataset: Dataset, draft: Draft) -> bool:
    """Show how many rows each part gets, and whether the split is an honest one; False where it isn't possible."""
    try:
        counts = draft_session.counts(dataset, draft_session.recipe(dataset, draft), draft.plan.time_limit)
    except RecipeError as exc:
        if draft.kind == "own" and draft.test_dataset is None:
            st.info(escaped(f"{exc.message} {exc.hint}"), icon=":material/upload_file:")
        else:
            error_display.show(exc)
        if draft.keep_twins and st.button("Don't keep near twins together"):
            draft_session.change(draft, keep_twins=False)
            st.rerun()
        return False
    picture(SplitBar(counts), key="split_bar")
    folds = folds_words(counts, draft_session.recipe(dataset, draft).split)
    if folds:
        st.markdown(f":gray[{escaped(folds)}]")
    warning = few_rows_warning(counts)
    if warning:
        st.warning(escaped(warning), icon=":material/warning:")
    left_out = rows_words(counts)
    if left_out:
        st.markdown(f":gray[{left_out}]")
    recipe = draft_session.recipe(dataset, draft)
    flawed = split_checks.checks(dataset, draft, recipe)
    measured(dataset, draft, recipe, flawed=flawed)
    probe_results.enough_rows(dataset, draft, recipe)
    return True


def measured(dataset: Dataset, draft: Draft, recipe: Recipe, *, flawed: bool) -> None:
    """Say what was measured of the split: why it was chosen, what it hides, or that no difference was seen."""
    found = starting_split.advice(dataset, draft)
    if found is not None and draft.kind != "own":
        own = found.measures.of(draft.kind, draft.column)
        hides = draft.kind == "random" and found.reason is not None
        mark = ":orange[:material/warning:]" if hides else ":gray[:material/info:]"
        told = advice_words(found, recipe.split, draft.unit)
        if told:
            st.markdown(f"{mark} {escaped(told)}")
        order = row_order_words(found.measures, draft.unit)
        if order and (own is None or own.column != ROW_ORDER):
            st.markdown(f":orange[:material/info:] {escaped(order)}")
        probe_results.measures(dataset, draft, found.measures)
        if own is None:
            probe_results.one_column(dataset, draft)
    if draft.kind == "random" and (flawed or draft.keep_twins):
        probe_results.twins(dataset, draft, recipe)
