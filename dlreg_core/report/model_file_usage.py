"""How an exported model is used, as text to copy."""

from __future__ import annotations


def python_usage(file_name: str) -> str:
    """Return a few lines of Python that load a model file and predict a table."""
    return f'''from pathlib import Path

import pandas as pd
from dlreg_core.model_file import load_bundle

# Checks the hash of every file, and the versions, before anything is loaded.
model, manifest = load_bundle(Path("{file_name}"), Path("model"))

rows = pd.read_csv("rows.csv")
rows["prediction"] = model.predict(rows)
rows.to_csv("out.csv", index=False)'''


def script_usage(file_name: str) -> str:
    """Return the commands that unpack a model file and run the script inside, which doesn't need this program."""
    folder = file_name.removesuffix(".zip")
    return (
        f"unzip {file_name} -d {folder} && cd {folder}\n"
        "pip install -r requirements.txt\n"
        "python predict.py --check\n"
        "python predict.py rows.csv out.csv"
    )


def command_usage(file_name: str) -> str:
    """Return the command that predicts a table where this program is installed."""
    return f"dlreg predict {file_name} rows.csv --out out.csv"
