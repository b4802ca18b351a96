from __future__ import annotations

import logging
import tomllib
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages._ui.shared import error_display
from tests.conftest import ROOT
from tests.pages.opening import labels, texts


def failing() -> None:
    from pages._ui.shared import error_display

    try:
        raise KeyError("`a *name*`")
    except KeyError as exc:
        error_display.unexpected(exc)


def without_memory() -> None:
    from pages._ui.shared import error_display

    error_display.unexpected(MemoryError())


def refusing() -> None:
    from dlreg_core.errors import PlanError
    from pages._ui.shared import error_display

    error_display.unexpected(PlanError("That is too *long*.", "Choose less."))


def test_an_unforeseen_error_has_a_number_that_the_log_knows(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger=error_display.__name__):
        app = AppTest.from_function(failing).run()
    assert not app.exception
    record = next(record for record in caplog.records if record.name == error_display.__name__)
    number = record.getMessage().split()[1]
    assert f"error **{number}**" in app.error[0].value
    assert record.exc_info is not None
    assert "KeyError" in app.code[0].value
    assert labels(app) == ["Show the page again"]


def test_lack_of_memory_is_told_as_such() -> None:
    app = AppTest.from_function(without_memory).run()
    assert "ran out of memory" in app.error[0].value
    assert "Use fewer rows" in app.error[0].value
    assert labels(app) == ["Show the page again"]


def test_an_error_of_the_core_is_told_in_its_own_words() -> None:
    app = AppTest.from_function(refusing).run()
    assert "That is too *long*.** Choose less." in texts(app)
    assert not app.code


def test_the_app_uses_it_for_pages_and_callbacks(home: object) -> None:
    import app

    assert isinstance(app.app, st.App)
    assert app.app._on_script_error is error_display.unexpected


def test_errors_lead_to_no_other_host() -> None:
    client = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["client"]
    assert client["showErrorLinks"] == "false"
    assert client["showErrorDetails"] == "none"


def test_a_bare_string_in_a_page_is_not_shown(tmp_path: Path) -> None:
    page = tmp_path / "page.py"
    page.write_text('import streamlit as st\n\nWIDTH = 3\n"""What it is for."""\nst.title("Page")\n')
    app = AppTest.from_file(str(page)).run()
    assert [title.value for title in app.title] == ["Page"]
    assert not app.markdown
