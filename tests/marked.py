"""Parameters of a test of which only some run in the fast tests, since others take their path too."""

import pytest


def slow(values, *names):
    """Return ``values`` as parameters, those that ``names`` lists marked slow."""
    missing = set(names) - set(values)
    assert not missing, missing
    return [pytest.param(value, marks=pytest.mark.slow) if value in names else value for value in values]
