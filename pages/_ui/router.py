"""The way through the app. It only lists the pages and says what is open."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages._ui.shared import figure_files, session, sidebar

PAGES = Path(__file__).resolve().parents[1]
LOGO = PAGES.parent / "assets" / "logo.svg"

# What no option of Streamlit does. Where nothing hovers, the toolbar of a table stays open after a touch, over what
# stands above the table. The open tab has the colour of primary buttons, which can't be read as text on a dark ground;
# the line below it tells it apart.
_STYLE = """<style>
@media (hover: none) { [data-testid="stElementToolbar"] { display: none; } }
[role="tab"][aria-selected="true"], [role="tab"][aria-selected="true"] p { color: inherit !important; }
</style>"""

WAY = {
    "Build": (("data", "Data", "table"), ("prepare", "Prepare", "tune"), ("train", "Train", "model_training")),
    "Understand": (
        ("leaderboard", "Leaderboard", "leaderboard"),
        ("diagnostics", "Diagnostics", "show_chart"),
        ("explain", "Explain", "lightbulb"),
    ),
    "Use": (("predict", "Predict", "online_prediction"), ("export", "Export", "download")),
    "Keep": (("runs", "Runs", "history"),),
}


def _home() -> None:
    """Lead from the bare address to the first step."""
    st.switch_page(PAGES / "data.py", query_params=session.address())


def main() -> None:
    """Show the page that the address names, with the sidebar beside it."""
    st.set_page_config(page_title="dlreg", page_icon=str(LOGO), layout="wide")
    session.sync()
    done = sidebar.done_steps()
    pages = {
        section: [
            st.Page(
                PAGES / f"{name}.py",
                title=f"{title} ✓" if name in done else title,
                url_path=name,
                icon=f":material/{icon}:",
            )
            for name, title, icon in steps
        ]
        for section, steps in WAY.items()
    }
    # The default page answers at the bare address only. Were it Data, a link to /data would find nothing.
    pages[""] = [st.Page(_home, title="Data", url_path="home", default=True, visibility="hidden")]
    page = st.navigation(pages)
    titles = {name: title for steps in WAY.values() for name, title, _ in steps}
    st.set_page_config(page_title=f"{titles.get(page.url_path, page.title)} · dlreg", page_icon=str(LOGO))
    st.html(_STYLE)
    sidebar.show_open()
    page.run()
    figure_files.offer()


main()
