"""Predict rows with the model in this folder: ``python predict.py rows.csv out.csv``.

Needs only the packages in requirements.txt. Before anything is loaded, the hashes of all files and the versions of the
packages are compared with the manifest; then the reference rows, where there are some, are predicted and must come out
as they were.
``python predict.py --check`` does only that. Loading runs code stored in this folder: use it only if you trust whoever
made it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def differences(manifest: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return what is wrong with the files, and which versions differ."""
    wrong = []
    for name, digest in manifest["files"].items():
        path = HERE / name
        if not path.is_file():
            wrong.append(f"{name} is missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            wrong.append(f"{name} was changed")
    # A module that nobody vouches for would be imported like the others.
    for folder in ("runtime", "model"):
        present = {str(path.relative_to(HERE)) for path in (HERE / folder).rglob("*") if path.is_file()}
        wrong += [f"{name} is not listed" for name in sorted(present - manifest["files"].keys())]
    other = []
    for name, wanted in manifest["versions"].items():
        if name == "python":
            found = f"{sys.version_info.major}.{sys.version_info.minor}"
        else:
            try:
                found = metadata.version(name).split("+")[0]
            except metadata.PackageNotFoundError:
                found = "none"
        if found != wanted:
            other.append(f"{name} {wanted} was used, {found} is here")
    return wrong, other


def say(text: object) -> None:
    """Print one line on standard error; what stands in files is no order to the terminal."""
    print("".join(character if character.isprintable() else " " for character in str(text)), file=sys.stderr)


def main(arguments: list[str]) -> int:
    """Check, predict, write; return the exit code."""
    check_only = arguments == ["--check"]
    if not check_only and len(arguments) != 2:
        print("usage: python predict.py rows.csv out.csv   or   python predict.py --check", file=sys.stderr)
        return 2
    manifest = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    wrong, other = differences(manifest)
    if wrong:
        say(f"The model is damaged: {'; '.join(wrong[:5])}.")
        return 1
    if other:
        say(f"Versions differ: {'; '.join(other)}. Results may differ, or loading may fail.")
    # No compiled files: they would be files that the manifest doesn't know.
    sys.dont_write_bytecode = True
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    sys.path.insert(0, str(HERE / "runtime"))
    import numpy as np
    from dlreg_core.errors import DlregError
    from dlreg_core.cleaning.spreadsheet_safe import without_formulas
    from dlreg_core.cleaning.raw_rows import numbered_name, read_own_rows, read_raw_rows
    from dlreg_core.pipeline.fitted_pipeline import Pipeline

    pipeline = Pipeline(HERE / "model")
    try:
        predicted = "there are no reference rows, so that what it predicts here could not be checked"
        # Without it in the manifest, the model was exported without rows.
        if "reference.csv" in manifest["files"]:
            reference = read_own_rows(HERE / "reference.csv", pipeline.schema)
            expected = reference.iloc[:, -1].to_numpy(dtype=float)
            apart = np.abs(pipeline.predict(reference) - expected) / np.maximum(np.abs(expected), 1e-12)
            if float(np.max(apart)) > manifest["tolerance"]:
                print(
                    f"The reference rows come out differently, by up to {np.max(apart):.1e} of their value.",
                    file=sys.stderr,
                )
                return 1
            predicted = f"{len(expected)} reference rows were reproduced"
        if check_only:
            print(f"All {len(manifest['files'])} files are intact; {predicted}.")
            return 0
        rows = read_raw_rows(Path(arguments[0]), pipeline.schema)
        for sentence in pipeline.warnings(rows):
            say(sentence)
        found = pipeline.predicted(rows)
        added = {numbered_name(name, rows): found[name].to_numpy() for name in found.columns}
        without_formulas(rows.assign(**added)).to_csv(arguments[1], index=False)
    except (DlregError, OSError) as exc:
        say(exc)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
