"""What a person chose while preparing, and what each choice changes."""
