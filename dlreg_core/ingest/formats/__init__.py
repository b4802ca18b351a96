"""The bytes of a file → its columns, as they stand in it."""
