"""Text tables: their encoding, their dialect, their header and their rows."""
