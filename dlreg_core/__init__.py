"""dlreg_core: the UI-free core of dlreg.

It reads a table, cleans and splits it, trains AutoGluon's neural networks within a time budget, judges them against
simple baselines on rows that chose nothing, explains them, and writes a model file that works on its own.
"""

from __future__ import annotations

__version__ = "0.1.0"
