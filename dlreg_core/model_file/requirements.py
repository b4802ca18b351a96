"""The packages that a model file needs, pinned to the versions that made it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dlreg_core.networks import BASELINES, ENSEMBLE, network

_ALWAYS = ("pandas", "numpy", "pyarrow", "pydantic", "scikit-learn", "charset-normalizer", "joblib")


def requirements_for(families: set[str]) -> tuple[str, ...]:
    """Return exact requirements, direct and transitive, for the models of the given families.

    Only public packages by name and version: no address, and no local version such as ``+cpu``.
    """
    wanted = [Requirement(name) for name in _ALWAYS]
    for key in families - {ENSEMBLE, *BASELINES}:
        wanted += [Requirement(name) for name in network(key).requirements]
    if "BOOSTED" in families:
        wanted.append(Requirement("catboost"))
    return tuple(f"{name}=={pin}" for name, pin in sorted(_closure(wanted).items()))


def _closure(wanted: list[Requirement]) -> dict[str, str]:
    """Follow the requirements of what is installed here, with their extras."""
    pins: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    open_ = list(wanted)
    while open_:
        requirement = open_.pop()
        name = canonicalize_name(requirement.name)
        try:
            pins[name] = version(requirement.name).split("+")[0]
        except PackageNotFoundError:
            continue
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for text in requires(requirement.name) or ():
                needed = Requirement(text)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    open_.append(needed)
    return pins
