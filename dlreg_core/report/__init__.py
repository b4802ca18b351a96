"""What was found, for a person: in words, as a page, as a model card."""
