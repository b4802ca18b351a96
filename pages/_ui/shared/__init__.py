"""What all pages share: what is open, errors, and pieces that several are made of."""
