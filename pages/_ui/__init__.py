"""What the pages share: the way between them, what is open, errors, and the look."""
