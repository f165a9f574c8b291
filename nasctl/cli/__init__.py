"""What a user types: verbs, their jobs, and the first and last milliseconds of the command."""
