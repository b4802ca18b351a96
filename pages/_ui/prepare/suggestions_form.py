"""Prepare: what was found in the table, with what the recipe can do about it."""

from __future__ import annotations

import streamlit as st

from dlreg_core.checks.findings import Finding
from dlreg_core.recipe import Draft, is_repaired, with_repair
from dlreg_core.specs import Dataset
from pages._ui.prepare import draft_session
from pages._ui.shared.sidebar import as_label, escaped

_ELSEWHERE = frozenset({"duplicates", "time-order", "time-drift", "feature-drift"})
"""Codes of findings whose repair stands in another part of the page."""
_OF_TARGET = frozenset({"capped-target", "skewed-target", "time-drift"})


def suggestions(dataset: Dataset, draft: Draft) -> bool:
    """Show each finding that the recipe can repair with a box to tick, and what is odd about the target.

    Returns
    -------
    bool
        Whether there was something to repair.
    """
    found = draft_session.remarks(dataset, draft.target)
    repairable = [f for f in found if f.code not in _ELSEWHERE and f.step and draft.target not in f.step.leave_out]
    for finding in repairable:
        _suggestion(dataset, draft, finding)
    for finding in found:
        if finding.code in _OF_TARGET and finding not in repairable:
            st.markdown(f":orange[:material/info:] **{escaped(finding.title)}**: {escaped(finding.advice)}")
    return bool(repairable)


def _suggestion(dataset: Dataset, draft: Draft, finding: Finding) -> None:
    step = finding.step
    if step is None:
        return
    done = is_repaired(dataset, draft, step)
    mark = ":red[:material/warning:]" if finding.severity == "high" else ":orange[:material/warning:]"
    # Done elsewhere, as in the table of columns, it is another box: the old one would undo it again.
    key = f"step_{dataset.id}_{draft.target}_{finding.code}_{'|'.join(finding.columns)}_{done}"
    wanted = st.checkbox(as_label(step.label), done, key=key)
    # How much one unit is of another is what a person has to agree to.
    told = finding.advice if step.units else finding.text
    st.caption(f"{mark} {escaped(finding.title)}: {escaped(told)}")
    if wanted != done:
        draft_session.keep(with_repair(draft, step, wanted=wanted))
        # The table of columns above shows the choice too.
        st.rerun()
