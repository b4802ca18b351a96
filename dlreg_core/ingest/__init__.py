"""From a file or an upload to a stored, typed and profiled data set."""
