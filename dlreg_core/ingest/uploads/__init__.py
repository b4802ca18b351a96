"""Ways in for tables that aren't handed over in one piece."""
