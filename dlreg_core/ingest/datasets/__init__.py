"""Data sets as they are kept: each once, by the hash of its content, with its profile."""
