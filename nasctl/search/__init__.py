"""How a search runs: the loop, repeats of it, selection, rank correlation."""
