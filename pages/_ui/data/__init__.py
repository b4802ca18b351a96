"""The parts of Data."""
