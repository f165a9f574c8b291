"""Learning rates over a training, as functions of how much of its schedule is done."""
