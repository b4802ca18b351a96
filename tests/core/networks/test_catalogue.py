"""What is described of the families, and what is said to values that they can't have."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from dlreg_core.errors import PlanError
from dlreg_core.networks import (
    DEFAULT_FAMILIES,
    FAMILIES,
    Setting,
    default_plan,
    family,
    parsed_setting,
    settings_of,
    to_autogluon,
)
from dlreg_core.networks.catalogue_page import page
from dlreg_core.networks.tabm import WIDE_TABLE
from tests.conftest import ROOT

every_family = pytest.mark.parametrize("key", [chosen.key for chosen in FAMILIES])
every_setting = pytest.mark.parametrize(
    ("key", "known"), [pytest.param(f.key, s, id=f"{f.key}.{s.name}") for f in FAMILIES for s in settings_of(f.key)]
)


@every_family
def test_a_family_is_described_in_two_sentences(key: str) -> None:
    chosen = family(key)
    assert chosen.summary.count(".") == 2
    assert chosen.paper
    assert chosen.licence == "Apache-2.0"
    assert chosen.downloads == ""
    assert len({known.name for known in settings_of(key)}) == len(settings_of(key))


def test_the_families_that_are_trained_by_default_are_known() -> None:
    assert set(default_plan().models) <= set(DEFAULT_FAMILIES) <= {chosen.key for chosen in FAMILIES}


@every_setting
def test_a_setting_says_what_it_is_and_what_happens_without_it(key: str, known: Setting) -> None:
    assert known.title
    assert known.help.endswith(".")
    assert (known.default is None) == bool(known.automatic)
    if known.default is not None:
        assert known.checked(known.default, "It") == known.default
    if known.kind == "choice":
        assert known.default is None or known.default in known.choices
    elif known.kind != "bool":
        assert 0 <= known.least < known.most
    if known.only_with is not None:
        other, needed = known.only_with
        assert set(needed) <= set(family(key).setting(other).choices)


@every_setting
def test_settings_reach_autogluon_as_values_that_json_can_hold(key: str, known: Setting) -> None:
    value: Any = known.default
    if value is None:
        first = {"widths": [known.least], "choice": (known.choices or ("",))[0], "bool": True}
        value = first.get(known.kind, known.least)
    beside = {} if known.only_with is None else {known.only_with[0]: known.only_with[1][0]}
    found = to_autogluon(key, beside | {known.name: value})
    assert json.loads(json.dumps(found)) == found
    assert found


def wrong_values(known: Setting) -> list[Any]:
    if known.kind == "choice":
        return ["nothing", 3, True]
    if known.kind == "bool":
        return ["perhaps", 1]
    if known.kind == "widths":
        return [[], [0], [5000], ["a"], [1.5], [True], "64", 64, [8] * 9]
    beside = [known.least - 1, known.most * 2 + 1, "many", True, float("nan"), float("inf")]
    return [*beside, known.least + 0.5] if known.kind == "int" else beside


@every_setting
def test_a_value_that_can_not_be_had_is_refused_with_those_that_can(key: str, known: Setting) -> None:
    for value in wrong_values(known):
        with pytest.raises(PlanError) as caught:
            family(key).checked({known.name: value})
        told = str(caught.value)
        assert told.startswith(f"{known.title} of {family(key).title} must be ")
        assert known.range_words in told
        assert told.count(".") == told.rstrip(".").count(".") + 1


def test_unknown_settings_are_refused_with_those_that_there_are() -> None:
    with pytest.raises(PlanError, match="TabM has no setting called hidden; choose from layers, width, members"):
        family("TABM").checked({"hidden": [3]})
    with pytest.raises(PlanError, match="no network called XGB"):
        family("XGB").checked({})


def test_what_has_no_effect_beside_the_others_is_refused() -> None:
    with pytest.raises(PlanError, match="Huber's delta of NN Torch counts only where loss is huber"):
        family("NN_TORCH").checked({"huber_delta": 3.0})
    with pytest.raises(PlanError, match="Warm-up of Feed-forward counts only where schedule is constant or cosine"):
        family("FEEDFORWARD").checked({"warmup": 0.1, "schedule": "one_cycle"})
    torch, plain = family("NN_TORCH"), family("FEEDFORWARD")
    assert torch.counts(torch.setting("huber_delta"), {"loss": "huber"})
    assert plain.counts(plain.setting("warmup"), {})


def test_values_are_kept_in_one_form() -> None:
    given = {"hidden": (64, 32), "dropout": 0, "epochs": 20.0, "learning_rate": None}
    found = family("fastai").checked(given)
    assert found == {"hidden": [64, 32], "dropout": 0.0, "epochs": 20}
    assert [type(value) for value in found.values()] == [list, float, int]


def test_what_is_chosen_lies_over_what_the_program_chooses() -> None:
    settings = family("TABM").sample_settings(5000, 3) | to_autogluon("TABM", {"width": 99, "batch_size": 17})
    assert settings == {"tabm_k": 8, "d_block": 99, "lr": 3e-3, "batch_size": 17, "random_state": 3}


@pytest.mark.parametrize("key", ["FASTAI", "NN_TORCH", "TABM"])
def test_no_patience_is_patience_without_end(key: str) -> None:
    assert list(to_autogluon(key, {"early_stopping": 0}).values()) == [1_000_000]
    assert list(to_autogluon(key, {"early_stopping": 4}).values()) == [4]


def test_the_networks_own_defaults_are_part_of_what_is_offered() -> None:
    assert family("FEEDFORWARD").defaults()["optimizer"] == "adamw"
    for size in family("FEEDFORWARD").sizes:
        assert family("FEEDFORWARD").checked(size.settings) == size.settings


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("TABM.dropout=0.2", ("TABM", "dropout", 0.2)),
        ("nn_torch.batch_norm=yes", ("NN_TORCH", "batch_norm", True)),
        ("FEEDFORWARD.hidden=128, 64", ("FEEDFORWARD", "hidden", [128, 64])),
        ("FEEDFORWARD.hidden=[128,64]", ("FEEDFORWARD", "hidden", [128, 64])),
        ("FASTAI.epochs=12", ("FASTAI", "epochs", 12)),
        ("REALMLP.activation=relu", ("REALMLP", "activation", "relu")),
    ],
)
def test_settings_are_read_from_text(text: str, found: tuple[str, str, Any]) -> None:
    assert parsed_setting(text) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dropout=0.2", "write FAMILY.name=value"),
        ("TABM.dropout", "write FAMILY.name=value"),
        ("TABM.dropout=a lot", "Dropout of TabM must be a number from 0 to 0.9, not 'a lot'."),
        ("TABM.width=2.5", "Units in each layer of TabM must be a whole number from 1 to 4096, not 2.5."),
        ("FASTAI.hidden=3,x", "such as 256,128, not '3,x'."),
        ("FASTAI.clip=maybe", "Stay within range of FastAI must be true or false, not 'maybe'."),
        ("XGB.depth=3", "There is no network called XGB"),
    ],
)
def test_text_that_is_no_setting_is_refused(text: str, told: str) -> None:
    with pytest.raises(PlanError) as caught:
        parsed_setting(text)
    assert told in str(caught.value)


def test_the_catalogue_loads_no_deep_learning_library() -> None:
    code = "import sys, dlreg_core.networks; sys.exit(any(m in sys.modules for m in ('torch', 'autogluon')))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_the_page_of_documentation_is_the_catalogues() -> None:
    written = (ROOT / "docs/networks.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m dlreg_core.networks.catalogue_page > docs/networks.md"


def test_very_wide_tables_get_smaller_embeddings_in_tabm_alone() -> None:
    assert "d_embedding" not in family("TABM").sample_settings(5_000, 0, columns=WIDE_TABLE - 1)
    assert family("TABM").sample_settings(5_000, 0, columns=WIDE_TABLE)["d_embedding"] == 8
    for known in FAMILIES:
        if known.key != "TABM":
            assert known.sample_settings(5_000, 0, columns=1_000) == known.sample_settings(5_000, 0)
