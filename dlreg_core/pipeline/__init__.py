"""What predicts: the fitted cleaning, the networks, and the intervals around what they say."""
