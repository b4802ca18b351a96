"""What a setting of a network is: its name, its kind, its range, and how a value is checked."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from dlreg_core.errors import PlanError

SettingKind = Literal["int", "float", "choice", "bool", "widths"]

MOST_LAYERS = 8
_WORDS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


def typed_number(value: float) -> str:
    """Return a number as it is typed: 0.001, 1e-07, 65536."""
    return f"{value:.7g}"


@dataclass(frozen=True)
class Setting:
    """One setting of a family of networks.

    Attributes
    ----------
    name : str
        Its name here, the same for every family that has it.
    title, help : str
        What a person reads.
    kind : {"int", "float", "choice", "bool", "widths"}
        What its values are; ``widths`` are whole numbers, one for each hidden layer.
    default : object
        The value that is used where none is chosen; None where the program chooses, as `automatic` says.
    least, most : float
        Range of a number, or of each of the widths.
    choices : tuple of str
        The values of a choice.
    group : str
        Heading under which it is shown.
    logarithmic : bool
        True where values are compared by their ratio.
    automatic : str
        How the value is chosen where `default` is None.
    only_with : tuple, optional
        Name of another setting and the values of it with which this one counts; None where it always does.
    target : str
        AutoGluon's name; the same as `name` without it.
    translate : callable, optional
        From a value to AutoGluon's settings, where it isn't the same value under another name.
    """

    name: str
    title: str
    help: str
    kind: SettingKind
    default: Any = None
    least: float = 0.0
    most: float = math.inf
    choices: tuple[str, ...] = ()
    group: str = "Network"
    logarithmic: bool = False
    automatic: str = ""
    only_with: tuple[str, tuple[str, ...]] | None = None
    target: str = ""
    translate: Callable[[Any], dict[str, Any]] | None = None

    @property
    def range_words(self) -> str:
        """Return what values there are, in words."""
        if self.kind == "choice":
            return f"one of {', '.join(self.choices)}"
        if self.kind == "bool":
            return "true or false"
        low, high = typed_number(self.least), typed_number(self.most)
        if self.kind == "widths":
            return f"1 to {MOST_LAYERS} whole numbers from {low} to {high}, such as 256,128"
        return f"a {'whole number' if self.kind == 'int' else 'number'} from {low} to {high}"

    def checked(self, value: Any, owner: str) -> Any:
        """Return a value in the form in which it is kept.

        Parameters
        ----------
        value : object
            What was chosen.
        owner : str
            Title of the family, for the message.

        Raises
        ------
        PlanError
            If the setting can't have that value; the message says which ones it can have.
        """
        found = self._read(value)
        if found is None:
            raise PlanError(f"{self.title} of {owner} must be {self.range_words}, not {value!r}.")
        return found

    def parsed(self, text: str) -> Any:
        """Return what a text stands for; the text itself where it is no such value, for `checked` to refuse."""
        text = text.strip()
        try:
            if self.kind == "bool":
                return _WORDS.get(text.lower(), text)
            if self.kind == "widths":
                return [int(part) for part in text.strip("[]()").split(",") if part.strip()]
            if self.kind in ("int", "float"):
                return float(text)
        except ValueError:
            pass
        return text

    def in_autogluons_words(self, value: Any) -> dict[str, Any]:
        """Return AutoGluon's settings for a checked value."""
        return self.translate(value) if self.translate is not None else {self.target or self.name: value}

    def _read(self, value: Any) -> Any:
        if self.kind == "choice":
            return value if isinstance(value, str) and value in self.choices else None
        if self.kind == "bool":
            return value if isinstance(value, bool) else None
        if self.kind == "widths":
            return self._widths(value)
        return self._number(value)

    def _number(self, value: Any) -> int | float | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.least <= value <= self.most:
            return None
        if self.kind == "int":
            return int(value) if float(value).is_integer() else None
        return float(value)

    def _widths(self, value: Any) -> list[int] | None:
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_LAYERS:
            return None
        whole = [width for width in value if isinstance(width, int) and not isinstance(width, bool)]
        inside = [width for width in whole if self.least <= width <= self.most]
        return inside if len(inside) == len(value) else None
