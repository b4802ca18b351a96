"""What a person chose, ticked or typed, and what each choice changes: the one way to an experiment."""
