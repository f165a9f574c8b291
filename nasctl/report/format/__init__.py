"""Output formats of `nasctl compare`: each module declares one by its ``FORMAT``."""
