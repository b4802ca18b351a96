"""What is asked of a table before training: whether its split is honest, its rows are enough, its parts are alike."""
