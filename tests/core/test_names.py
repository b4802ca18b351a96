"""Names are clean, of bounded length, and the same when they are cleaned again."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlreg_core.names import MOST_CHARACTERS, clean_name, shortened, visible
from dlreg_core.specs import Dataset, Recipe

_ODD = st.sampled_from("\u200b\u200c\u200d\u202e\u2066\ufeff\u0301\ufe0f\u3164\x00\x1b\x9b\t\n abÅ…\u212a\u0627क👨")


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("plain name", "plain name"),
        ("  two \t lines\nof   it ", "two lines of it"),
        ("rtl\u202eexe.csv", "rtlexe.csv"),
        ("\u2067isolated\u2069", "isolated"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("\x1b]0;title\x07\x1b[31mred\x9b0m", "]0;title[31mred0m"),
        ("nul\x00byte\x7f", "nulbyte"),
        ("tag\U000e0041\U000e0042", "tag"),
        ("soft\u00adhyphen", "softhyphen"),
        ("half \ud800 of a pair", "half of a pair"),
        ("\u3164\u2800", ""),
        ("e\u0301", "é"),
        # What is written with joiners and variants keeps them.
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("na\u200dme", "name"),
        ("n\ufe0fa\ufe0fme", "name"),
    ],
)
def test_what_cannot_be_seen_is_left_out(raw: str, clean: str) -> None:
    assert clean_name(raw) == clean


@settings(max_examples=300)
@given(st.lists(st.one_of(st.characters(), _ODD), max_size=260).map("".join))
def test_any_text_becomes_a_name_that_stays(raw: str) -> None:
    name = clean_name(raw)
    assert clean_name(name) == visible(name) == name
    assert len(name) <= MOST_CHARACTERS
    assert name == " ".join(name.split())
    assert not {"Cc", "Cs"} & {unicodedata.category(character) for character in name}


def test_a_long_name_keeps_its_end_which_tells_it_apart() -> None:
    first, second = (clean_name("How satisfied are you? " * 400 + f"[Item {item}]") for item in (1, 2))
    assert len(first) <= MOST_CHARACTERS
    assert first.startswith("How satisfied") and first.endswith("[Item 1]") and second.endswith("[Item 2]")
    assert shortened("short", 9) == "short"
    assert shortened("a quite long one", 9) == "a qui…one"


def test_marks_that_pile_up_are_cut() -> None:
    assert len(clean_name("z" + "\u0335" * 500)) == 9


def test_a_text_that_is_shown_stays_one_line() -> None:
    assert visible("north\nRun 1 is deleted.\x1b[2J") == "north Run 1 is deleted.[2J"
    assert visible(3.5) == "3.5"
    assert visible("a  b") == "a  b"


def test_specs_take_names_and_units_clean() -> None:
    recipe = Recipe(target="y", features=("x",), unit="\u202e$\x1b[0m" + "u" * 500)
    assert recipe.unit.startswith("$[0mu") and len(recipe.unit) == 40
    dataset = Dataset(id="0" * 16, name="a\u202e\x1bb.csv", file_bytes=1, rows=1, columns=())
    assert dataset.name == "ab.csv"
    assert Dataset.model_validate_json(dataset.model_dump_json()) == dataset
