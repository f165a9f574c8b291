"""Speed as ratios against plainly written alternatives, measured in one run."""
