"""The pages of the app, one file for each step of the way."""
