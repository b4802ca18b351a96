"""What CONTRIBUTING tells whoever adds a cleaning step, a check or a chart holds for those that are there."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import get_args

import pytest
from pydantic import TypeAdapter

import dlreg_core.charts
import dlreg_core.cleaning.steps
from dlreg_core.cleaning.steps.step_types import Step
from dlreg_core.specs import Spec
from tests.conftest import ROOT

STEPS: tuple[type[Spec], ...] = get_args(get_args(Step)[0])
TESTS = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
USERS = "".join(
    path.read_text(encoding="utf-8")
    for folder in ("pages", "dlreg_core")
    for path in (ROOT / folder).rglob("*.py")
    if "charts" not in path.parts
)


def classes(package: ModuleType) -> Iterator[type]:
    """Yield the public classes that modules of a package define."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if inspect.isclass(value) and value.__module__ == module.__name__ and not name.startswith("_"):
                yield value


DISPLAYS = [found for found in classes(dlreg_core.charts) if hasattr(found, "plot")]


def test_every_step_with_a_kind_is_in_the_union() -> None:
    assert {
        found for found in classes(dlreg_core.cleaning.steps) if "kind" in getattr(found, "model_fields", {})
    } == set(STEPS)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_a_step_is_frozen_has_a_kind_of_its_own_and_transforms(step: type[Spec]) -> None:
    assert step.model_config["frozen"]
    kind = step.model_fields["kind"].default
    assert [other for other in STEPS if other.model_fields["kind"].default == kind] == [step]
    assert list(inspect.signature(step.transform).parameters)[:2] == ["self", "frame"]  # type: ignore[attr-defined]
    schema = TypeAdapter(Step).json_schema()
    assert kind in schema["discriminator"]["mapping"], "a model file names it by this"


def test_there_are_displays() -> None:
    assert len(DISPLAYS) > 15


@pytest.mark.parametrize("display", DISPLAYS, ids=lambda display: display.__name__)
def test_a_display_has_its_table_and_its_words_and_is_drawn_and_tested(display: type) -> None:
    assert hasattr(display, "frame")
    assert hasattr(display, "alt") or "alt" in getattr(display, "__dataclass_fields__", {})
    assert display.__doc__
    # A base of others is drawn by these.
    assert display.__name__ in USERS or display.__subclasses__() or _is_part(display), "no page draws it"
    assert display.__name__ in TESTS, "no test knows it"


def _is_part(display: type) -> bool:
    """Tell whether another display holds it."""
    return any(f"{display.__name__}(" in inspect.getsource(inspect.getmodule(other) or display) for other in DISPLAYS)
