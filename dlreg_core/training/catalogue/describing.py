"""The catalogue as a page: ``python -m dlreg_core.training.catalogue.describing > docs/networks.md``."""

from __future__ import annotations

from dlreg_core.training.catalogue.families import DEFAULT_FAMILIES, FAMILIES, Family
from dlreg_core.training.catalogue.setting import Setting, plain
from dlreg_core.training.catalogue.settings import settings_of

_HEAD = """# The networks and their settings

Made from the catalogue, which also makes the form on the Train page and checks what `dlreg train` is given as
`--setting FAMILY.name=value`. Nothing here has to be chosen. What is chosen holds for every training of that family in
the run: epochs and batch sizes too, which the program otherwise fits to the time and the rows.
"""


def page() -> str:
    """Return the page, in Markdown."""
    return "\n".join([_HEAD, *(_section(chosen) for chosen in FAMILIES)])


def _section(chosen: Family) -> str:
    facts = [
        f"From: {chosen.paper}. Licence of the code: {chosen.licence}.",
        f"Downloads: {chosen.downloads or 'nothing'}. Needs a GPU: {'yes' if chosen.needs_gpu else 'no'}.",
        f"Trained by default: {'yes' if chosen.key in DEFAULT_FAMILIES else 'no'}.",
    ]
    rows = [_row(known) for known in settings_of(chosen.key)]
    table = ["| setting | values | default | what it does |", "|---|---|---|---|", *rows]
    return "\n".join([f"## {chosen.title} (`{chosen.key}`)", chosen.summary, "", " ".join(facts), "", *table, ""])


def _row(known: Setting) -> str:
    help_ = known.help.replace("**", "`")
    if known.only_with is not None:
        other, needed = known.only_with
        help_ += f" Only with `{other}={'` or `'.join(needed)}`."
    return f"| `{known.name}` | {known.range_words} | {_default(known)} | {known.title}. {help_} |"


def _default(known: Setting) -> str:
    if known.default is None:
        return known.automatic
    if known.kind == "bool":
        return str(known.default).lower()
    if known.kind == "widths":
        return ",".join(str(width) for width in known.default)
    return str(known.default) if known.kind == "choice" else plain(known.default)


if __name__ == "__main__":
    print(page(), end="")
