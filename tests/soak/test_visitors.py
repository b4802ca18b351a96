"""Thirty people at once for five minutes, one of them hostile: nothing goes wrong, and nothing is left behind."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.soak
@pytest.mark.timeout(1500)
def test_thirty_people_at_once() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "soak.py"), "--minutes", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout
    assert "Wrong: nothing" in said, said + done.stderr
    assert "Processes left after the server: none." in said, said
    # How quick pages are, and how memory grows, isn't asked here: other tests run beside, and the time is short.
    verdict = said.splitlines()[-1]
    assert "died" not in verdict, verdict
    assert "descriptors" not in verdict, verdict
