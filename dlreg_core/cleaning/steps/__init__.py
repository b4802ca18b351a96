"""The cleaning steps: each is fitted on training rows and transforms any rows."""
