"""The parts of Prepare."""
