"""Run directories: writing one, and reading those of others with checks."""

from nasctl.runs.directory import CHECKPOINT, PREVIOUS, Run, difference, load_checkpoint

__all__ = ["CHECKPOINT", "PREVIOUS", "Run", "difference", "load_checkpoint"]
