"""The parts of the comparison, the view that is shown where none is named."""
