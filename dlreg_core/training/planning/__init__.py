"""What fits into a budget and into the machine, decided before anything is trained."""
