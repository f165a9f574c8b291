"""Executors: the processes and machines that evaluate candidates."""
