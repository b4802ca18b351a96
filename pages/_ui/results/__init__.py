"""The parts of the pages about a finished run."""
