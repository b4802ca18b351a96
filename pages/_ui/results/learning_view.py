"""How the networks learned: curves, verdict and what to change, for one network at a time."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dlreg_core.charts.training.learning_curves import LearningCurves
from dlreg_core.charts.training.training_validation import TrainingValidation
from dlreg_core.evaluation import NetworkCurves
from dlreg_core.formatting import value_words
from dlreg_core.networks import family, settings_of
from dlreg_core.specs import LeaderboardRow, Report, TrainResult
from dlreg_core.wording import (
    VERDICTS,
    SettingNow,
    about_words,
    evidence_words,
    suggestion_words,
    verdict_words,
)
from pages._ui.results import cached_results
from pages._ui.shared.result_header import quantity_column
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import folded, picture


def learning_curves(report: Report, result: TrainResult, row: LeaderboardRow) -> None:
    """Show how a network learned; of an ensemble, one of its members."""
    known = cached_results.network_curves(report.run_id)
    unit = report.experiment.recipe.unit
    model = _member(result, known) if row.role == "ensemble" else row.model
    if row.role == "baseline":
        st.markdown(f"{escaped(row.model)} isn't trained in epochs, so it has no learning curves.")
    elif model not in known:
        st.markdown(f"No epochs were recorded of {escaped(model or row.model)}, so there are no curves to show.")
    else:
        _one(report, result, known[model], unit)
    if len(known) > 1:
        _all(report.run_id, known, unit)


def _member(result: TrainResult, known: dict[str, NetworkCurves]) -> str:
    """Let a person choose one of the members of the ensemble whose epochs are known; empty where there is none."""
    weights = sorted(result.ensemble_weights.items(), key=lambda item: -item[1])
    members = {
        name: f"{name} ({weight:.0%} of the ensemble)".replace("%", " %") for name, weight in weights if weight > 0
    }
    names = [name for name in members if name in known]
    if not names:
        return ""
    st.markdown("An ensemble learns nothing itself; these are the curves of its members.")
    with st.columns([1, 2])[0]:
        return str(st.selectbox("Member", names, format_func=lambda name: members[name], key="curve_member"))


def _one(report: Report, result: TrainResult, curves: NetworkCurves, unit: str) -> None:
    st.markdown(f"**{escaped(verdict_words(curves, unit))}**")
    evidence = evidence_words(curves, unit)
    if evidence:
        st.caption(escaped(" · ".join(evidence)))
    picture(TrainingValidation(curves, unit), key="training-validation")
    st.caption(escaped(about_words(curves)))
    suggestions = suggestion_words(curves, _settings(report, result, curves))
    if suggestions:
        with st.expander("What to change", icon=":material/build:"):
            st.markdown("\n".join(f"1. {escaped(text)}" for text in suggestions))
            st.caption(
                f"One at a time, on the Train page, under the settings of {escaped(family(curves.family).title)}."
            )


def _settings(report: Report, result: TrainResult, curves: NetworkCurves) -> dict[str, SettingNow]:
    """Return the settings of a network's family with the values that it was trained with, where those are known."""
    fit = next((fit for fit in result.plan.fits if fit.model == curves.model), None)
    used = dict(fit.settings) if fit is not None else {}
    chosen = report.experiment.plan.settings.get(curves.family, {})
    found = {}
    for known in settings_of(curves.family):
        value = chosen.get(known.name, known.default)
        if known.name == "epochs" and fit is not None:
            value = fit.epochs
        elif known.translate is None:
            value = used.get(known.target or known.name, value)
        found[known.name] = SettingNow(known.title, value, value_words(value) if value is not None else "")
    return found


def _all(run_id: str, known: dict[str, NetworkCurves], unit: str) -> None:
    """Show all networks of the run beside each other, folded away."""
    part = folded("All networks of this run", "stacked_line_chart", "all_networks")
    if not part.open:
        return
    with part:
        events = tuple(event for event in cached_results.training_events(run_id) if event.data.get("model") in known)
        picture(LearningCurves(events, unit), key="learning-curves")
        table = pd.DataFrame([_line(curves) for curves in known.values()])
        # Where no network told enough for a verdict, these columns hold nothing.
        figures = ["Validation", "Rise", "Gap"]
        table[figures] = table[figures].astype("float64")
        st.dataframe(
            table,
            hide_index=True,
            placeholder="–",
            column_config={
                "Validation": quantity_column("Validation RMSE", unit, table["Validation"]),
                "Rise": st.column_config.NumberColumn(
                    "Rise after it", format="percent", help="Of the validation error, from its lowest to the end."
                ),
                "Gap": st.column_config.NumberColumn(
                    "Validation ÷ training", format="%.2f", help="RMSE of both in the best epoch, where both are known."
                ),
            },
            alt="The verdict on the learning curves of each network.",
        )


def _line(curves: NetworkCurves) -> dict[str, object]:
    found = curves.verdict.evidence
    return {
        "Network": curves.model,
        "Verdict": VERDICTS[curves.verdict.kind],
        "Best epoch": f"{found.best_epoch} of {found.epochs}" if found is not None else "",
        "Validation": found.best if found is not None else None,
        "Rise": found.rise if found is not None else None,
        "Gap": found.gap if found is not None else None,
    }
