"""Views of `nasctl compare`: each module declares one by its ``VIEW``."""
