"""Resources: what a network costs, counted or measured, by which limits and rewards judge it."""
