"""The trainings themselves, and the processes that do them."""
