"""The catalogue as a page of documentation.

It is written by ``python -m dlreg_core.networks.catalogue_page > docs/networks.md``.
"""

from __future__ import annotations

from dlreg_core.networks.network_family import Family
from dlreg_core.networks.pretrained_families import PRETRAINED, Pretrained
from dlreg_core.networks.registry import DEFAULT_FAMILIES, FAMILIES
from dlreg_core.networks.setting_spec import Setting, typed_number
from dlreg_core.networks.setting_values import settings_of

_HEAD = """# The networks and their settings

Made from the catalogue, which also makes the form on the Train page and checks `dlreg train --setting`. Nothing here
has to be chosen. What is chosen holds for every training of that family in the run: epochs and batch sizes too, which
the program otherwise fits to the time and the rows.
"""

_PRETRAINED_HEAD = """## Pre-trained networks

Trained once by their authors on many tables; here they read the training rows as context and learn nothing anew. So
they have no epochs and no settings, and a prediction takes longer the more training rows there are. Balanced and Best
runs may use them; a Fast run doesn't. Their weights are kept in `DLREG_WEIGHTS_DIR`, in a folder for each, and are
fetched only where somebody allowed it (once, on Train, or by `DLREG_ALLOW_DOWNLOADS`). `dlreg models` shows how it
stands with each, `dlreg models --fetch NAME` fetches one. Where the internet isn't reached, put its files into its
folder by hand.

Weights that may not be used commercially, and those whose licence demands something of whoever passes them on, stay off
until somebody has accepted their licence, on Train or with `dlreg models --accept-licence NAME`.
"""


def page() -> str:
    """Return the page, in Markdown."""
    trained = (_section(chosen) for chosen in FAMILIES)
    return "\n".join([_HEAD, *trained, _PRETRAINED_HEAD, *(_pretrained_section(known) for known in PRETRAINED)])


def _section(chosen: Family) -> str:
    facts = [
        f"From: {chosen.paper}. Licence of the code: {chosen.licence}.",
        f"Downloads: {chosen.downloads or 'nothing'}. Needs a GPU: {'yes' if chosen.needs_gpu else 'no'}.",
        f"Trained by default: {'yes' if chosen.key in DEFAULT_FAMILIES else 'no'}.",
    ]
    rows = [_row(known) for known in settings_of(chosen.key)]
    table = ["| setting | values | default | what it does |", "|---|---|---|---|", *rows]
    return "\n".join([f"## {chosen.title} (`{chosen.key}`)", chosen.summary, "", " ".join(facts), "", *table, ""])


def _pretrained_section(known: Pretrained) -> str:
    free = "allowed" if known.commercial else "not allowed"
    size = f"about {known.megabytes:.0f} MB" if known.megabytes is not None else "its size isn't stated"
    facts = [
        f"From: {known.paper}. Licence of the code: {known.code_licence}, of the weights: {known.weights_licence}; "
        f"commercial use is {free}.",
        *([f"{known.condition}"] if known.condition else []),
        f"Downloads: `{'`, `'.join(known.files)}` from {known.source}, {size}. "
        "Needs a GPU: no, but is slow without one.",
        f"Largest table: {_limit(known.most_rows, 'training rows')} ({known.most_rows_cpu:,} without a GPU) and "
        f"{_limit(known.most_columns, 'columns')}.",
        f"Needs: {', '.join(f'`{name}`' for name in known.packages)} ({known.install}).",
    ]
    return "\n".join([f"### {known.title} (`{known.key}`)", known.summary, "", " ".join(facts), ""])


def _limit(most: int | None, what: str) -> str:
    return f"{most:,} {what}" if most is not None else f"any number of {what}"


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
    return str(known.default) if known.kind == "choice" else typed_number(known.default)


if __name__ == "__main__":
    print(page(), end="")
