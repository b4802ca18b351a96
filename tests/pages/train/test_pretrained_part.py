"""The pre-trained networks on Train: how it stands with each, and what is asked once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlreg_core.networks import PRETRAINED
from dlreg_core.pretrained_weights import WeightStatus, open_weights
from dlreg_core.pretrained_weights import weight_store as module
from dlreg_core.recipe.draft import draft_of, save_draft
from dlreg_core.settings import load_settings
from dlreg_core.specs import Dataset
from tests.conftest import add_table, experiment_on, small_table
from tests.pages.opening import labels, opened_train, texts, widget


@pytest.fixture(autouse=True)
def missing(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the packages that seem not to be installed; all others seem to be."""
    found: set[str] = set()
    monkeypatch.setattr(module, "find_spec", lambda name: None if name in found else object())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    for name in ("DLREG_WEIGHTS_DIR", "DLREG_ALLOW_DOWNLOADS"):
        monkeypatch.delenv(name, raising=False)
    return found


@pytest.fixture
def dataset(home: Path) -> Dataset:
    """A table whose target is chosen."""
    found = add_table(home, small_table())
    save_draft(home, "local", found.id, draft_of(found, experiment_on(found, "price").recipe))
    return found


def test_all_are_shown_with_licence_size_and_source_and_downloads_are_asked_for_once(dataset: Dataset) -> None:
    app = opened_train(dataset.id)
    assert not app.exception
    told = texts(app)
    for known in PRETRAINED:
        assert f"**{known.title}**" in told
        assert known.weights_licence in told
        assert f"from `{known.source}`" in told
    assert "about 114 MB" in told
    assert "May this program fetch them?" in told
    widget(app.button, "Allow downloads").click().run()
    assert not app.exception
    assert "Allow downloads" not in labels(app)
    assert "not fetched yet" in texts(app)
    assert open_weights().downloads == "yes"
    # It is remembered.
    again = opened_train(dataset.id)
    assert "May this program fetch them?" not in texts(again)
    widget(again.button, "Don't allow any more").click().run()
    assert open_weights().downloads == "no"
    assert "only what is in" in texts(again)


def test_a_licence_is_accepted_by_name_after_its_place_was_shown(dataset: Dataset) -> None:
    app = opened_train(dataset.id)
    told = texts(app)
    assert "Read tabpfn-3-license-v1.0 at `huggingface.co/Prior-Labs/tabpfn_3/blob/main/LICENSE`" in told
    assert "no commercial use" in told
    assert "Accept licence of TabICL" not in labels(app)
    widget(app.button, "Accept licence of TabPFN 3").click().run()
    assert not app.exception
    assert "Accept licence of TabPFN 3" not in labels(app)
    assert "Licence accepted by local on 20" in texts(app)
    assert open_weights().state("TABPFN-3").status is WeightStatus.NO_DOWNLOADS


def test_what_is_not_installed_says_how_to_get_it_and_asks_for_no_licence(dataset: Dataset, missing: set[str]) -> None:
    missing.add("tabpfn")
    app = opened_train(dataset.id)
    assert 'Not installed: uv pip install "tabpfn' in texts(app)
    assert not any(label.startswith("Accept licence") for label in labels(app))


def test_weights_on_the_disk_are_told_as_such(dataset: Dataset, home: Path) -> None:
    folder = home / "weights" / "NORI"
    folder.mkdir(parents=True)
    (folder / "nori.pt").write_bytes(b"weights")
    assert "**Nori** :green-badge[on disk]" in texts(opened_train(dataset.id))


def test_the_administrators_word_leaves_nothing_to_ask(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_ALLOW_DOWNLOADS", "no")
    app = opened_train(dataset.id)
    assert "forbidden by the administrator" in texts(app)
    assert "Allow downloads" not in labels(app)


def test_a_damaged_note_of_consents_is_an_error_in_its_place(dataset: Dataset) -> None:
    (load_settings().home / "consent.json").write_text("{")
    app = opened_train(dataset.id)
    assert not app.exception
    assert any("can't be read" in error.value.replace("\\", "") for error in app.error)
    assert "Start training" in labels(app)
