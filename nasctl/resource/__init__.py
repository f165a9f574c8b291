"""Resources that a space cannot count, and how they are measured."""
