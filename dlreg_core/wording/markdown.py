"""Foreign text within Markdown: shown as it is, and nothing else.

A backslash keeps a character from being markup, but not from what is done to the text afterwards: addresses become
links (GitHub's Markdown), and words between colons and arrows become pictures (Streamlit's). Such places are broken by
a character without width.
"""

from __future__ import annotations

import re

from dlreg_core.names import visible

_BREAK = "\u2060"
"""Word joiner: it has no width, and no line is broken there."""
_SPECIAL = re.compile(r"[\\`*_{}\[\]()#+\-.!|<>$:~&]")
_LINKED = re.compile(
    r"""
    (?<=:)(?=//)                # https://host
    | (?<=www)(?=\.)            # www.host
    | (?<=[-.\w+])(?=@[-\w])    # name@host
    | (?<=:)(?=material[/_] | (?:[\w+-]*[a-z+][\w+-]* | 100 | 1234 | -1):)  # :material/name:, :smile:
    """,
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_ARROWS = re.compile(r"(?<!\S)(<->|->|<-|--|>=|<=|~=)(?!\S)")
_NEEDED = re.compile(r"[\\`*\[\]<>$~|!]|:(?=[^\W\d])|(?<![^\W_])_|_(?![^\W_])|&(?=[#\w]+;)")


def escaped(text: str) -> str:
    """Return `text` so that Markdown shows it as it is: names come from files, and may hold anything."""
    return _SPECIAL.sub(r"\\\g<0>", _unlinked(text))


def escaped_sparingly(text: str) -> str:
    """Return text, escaped only where it has to be: people or screen readers get it as it stands."""
    shown = _NEEDED.sub(r"\\\g<0>", _unlinked(text))
    # At its beginning it may look like a heading or a list.
    return re.sub(r"^(\s*)([#+-]|\d+(?=[.)]))", lambda m: f"{m[1]}\\{m[2]}" if m[2] in "#+-" else m[0], shown)


def _unlinked(text: str) -> str:
    """Return text in which no address and no picture is found any more; what is seen stays the same."""
    broken = _LINKED.sub(_BREAK, visible(text))
    return _ARROWS.sub(lambda m: f"{m[1][0]}{_BREAK}{m[1][1:]}", broken)
