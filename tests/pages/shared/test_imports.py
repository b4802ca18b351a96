from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from dlreg_core.runs import RunFolder
from tests.conftest import ROOT

_SCRIPT = """
import importlib, json, pathlib, sys
from streamlit.testing.v1 import AppTest

root, run = pathlib.Path(sys.argv[1]), sys.argv[2]
failed = []
for path in sorted((root / "pages" / "_ui").rglob("*.py")):
    # The router is a script: it is run below.
    if path.stem not in ("__init__", "router"):
        importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))
from dlreg_core.errors import ScorerError
from pages._ui.shared import services as core

# The prediction process is another process; it isn't what this test is about.
class Away:
    def preflight(self, *_):
        raise ScorerError("The prediction process isn't there.")

core.scorer = Away
for page in sorted(path.stem for path in (root / "pages").glob("*.py") if path.stem != "__init__"):
    app = AppTest.from_file(str(root / "pages" / "_ui" / "router.py"), default_timeout=120)
    app.query_params["run"] = run
    app.run().switch_page(f"../{page}.py").run()
    # Predict and Export end at the prediction process that isn't there.
    if app.exception and page not in ("predict", "export"):
        failed.append(f"{page}: {app.exception[0].message}")
heavy = [name for name in ("torch", "autogluon", "shap", "catboost") if name in sys.modules]
print(json.dumps({"failed": failed, "heavy": heavy}))
"""


def test_no_page_loads_a_deep_learning_library(trained: RunFolder, tmp_path: Path) -> None:
    script = tmp_path / "open_all.py"
    script.write_text(_SCRIPT)
    command = [sys.executable, str(script), str(ROOT), trained.id]
    environment = {**os.environ, "DLREG_HOME": str(trained.home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {"failed": [], "heavy": []}
