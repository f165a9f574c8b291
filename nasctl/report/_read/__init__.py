"""What the report reads of run directories: runs, trials, which runs belong together, and published results."""
