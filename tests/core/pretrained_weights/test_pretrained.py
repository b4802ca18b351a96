"""The pre-trained families: how they are described, and which of them a run can use."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dlreg_core.errors import PlanError
from dlreg_core.networks import FAMILIES, PRETRAINED, is_pretrained, pretrained
from dlreg_core.pretrained_weights import WeightState, WeightStatus, usable
from dlreg_core.pretrained_weights.eligibility import reason_against

every_key = pytest.mark.parametrize("key", [known.key for known in PRETRAINED])
READY = WeightState("TABICL", WeightStatus.ON_DISK, "on the disk", Path("weights"))


@every_key
def test_a_family_is_described(key: str) -> None:
    known = pretrained(key.lower())
    assert known.key == key
    assert known.summary.count(". ") == 1
    assert known.summary.endswith(".")
    assert known.paper
    assert known.code_licence
    assert known.weights_licence
    assert known.packages
    assert known.install
    assert known.repository.count("/") == 1
    assert known.most_rows is None or known.most_rows_cpu < known.most_rows
    assert known.asks_consent == (known.packages == ("tabpfn",))
    assert known.commercial or "no commercial use" in known.summary


def test_no_key_is_used_twice() -> None:
    keys = [known.key for known in (*FAMILIES, *PRETRAINED)]
    assert len(keys) == len(set(keys))
    assert is_pretrained("tabicl")
    assert not is_pretrained("TABM")
    with pytest.raises(PlanError, match="no pre-trained network called TABM"):
        pretrained("TABM")


@every_key
def test_settings_name_the_weights_and_can_be_kept_as_json(key: str) -> None:
    known, folder = pretrained(key), Path("/somewhere/weights") / key
    settings = pretrained(key).hyperparameters(folder, 3)
    assert json.loads(json.dumps(settings)) == settings
    expected = folder if known.path_is == "folder" else folder / known.files[0]
    assert settings[known.path_setting] == str(expected)
    assert not known.seed_setting or settings[known.seed_setting] == 3


@pytest.mark.parametrize(
    ("preset", "rows", "columns", "gpu", "reason"),
    [
        ("balanced", 2_000, 2_000, False, ""),
        ("best", 500_000, 2_000, True, ""),
        ("fast", 100, 5, True, "not used by Fast runs"),
        ("best", 2_001, 5, False, "takes up to 2,000 training rows without a GPU, there are 2,001"),
        ("best", 500_001, 5, True, "takes up to 500,000 training rows, there are 500,001"),
        ("balanced", 100, 2_001, True, "takes up to 2,000 columns, there are 2,001"),
    ],
)
def test_a_run_uses_what_its_table_and_its_preset_allow(
    preset: str, rows: int, columns: int, gpu: bool, reason: str
) -> None:
    found = reason_against(pretrained("TABICL"), READY, preset, rows, columns, gpu=gpu)  # type: ignore[arg-type]
    assert found == reason


def test_what_is_in_the_way_of_the_weights_is_the_reason() -> None:
    state = WeightState("TABICL", WeightStatus.NO_DOWNLOADS, "nobody has allowed downloads yet", Path("weights"))
    assert reason_against(pretrained("TABICL"), state, "best", 100, 5, gpu=False) == state.words


def test_all_families_are_answered_for_from_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "dlreg_core.pretrained_weights.weight_store.find_spec", lambda name: None if name == "tabpfn" else object()
    )
    monkeypatch.delenv("DLREG_WEIGHTS_DIR", raising=False)
    (tmp_path / "weights" / "NORI").mkdir(parents=True)
    (tmp_path / "weights" / "NORI" / "nori.pt").write_bytes(b"weights")
    found = dict(usable("balanced", 240, 5, False, tmp_path))
    assert list(found) == [known.key for known in PRETRAINED]
    assert found["NORI"] == ""
    assert found["TABICL"] == "nobody has allowed downloads yet"
    assert found["TABPFN-3"].startswith("not installed")
    monkeypatch.setenv("DLREG_ALLOW_DOWNLOADS", "yes")
    assert [key for key, reason in usable("best", 240, 5, False, tmp_path) if not reason] == [
        "TABICL",
        "MITRA",
        "TABDPT",
        "NORI",
    ]


def test_looking_at_them_loads_no_heavy_library() -> None:
    script = (
        "import sys, pathlib; from dlreg_core.pretrained_weights.eligibility import usable;"
        "usable('best', 10, 3, False, pathlib.Path('/nowhere'));"
        "print([n for n in ('torch', 'autogluon', 'huggingface_hub', 'tabicl', 'transformers') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
