"""``python -m dlreg_core.cli``."""

from __future__ import annotations

from dlreg_core.cli.application import main

if __name__ == "__main__":
    main()
