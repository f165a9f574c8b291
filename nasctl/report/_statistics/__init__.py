"""Estimates and intervals of the report; scipy is imported when an interval is computed, not before."""
