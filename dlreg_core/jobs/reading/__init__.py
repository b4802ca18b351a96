"""Files that people hand in are read by processes of their own."""
