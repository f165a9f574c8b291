"""A command line as text: flags, quotes, commas."""
