"""Remarks that several tables of the report share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nasctl.report._read.method import Method
from nasctl.report._read.record import Run

WORK = (
    "Work counts the multiply-accumulates of convolutions and matrix products, a training step as three passes; in a "
    "supernet a strided skip counts as the 2x2 convolution that it runs as. Norms, activations, pooling, the "
    "strategy's own controller, auxiliary heads and the test are left out."
)
TEST_REWARD = "table (test)"
TIES = "Of equal rewards the lowest trial index wins, in a selection the run named first, of replicas the lowest seed"


def of_rows(rows: Sequence[Method]) -> list[str]:
    """Return the remarks about ``rows``: faults, repeated seeds, provenance, ties, and rewards by test accuracy."""
    runs = [run for row in rows for run in (*row.runs, *row.searches)]
    return [
        *(f"{row.label}: {fault}" for row in rows for fault in row.faults),
        *(f"{row.label}: {_counted(len(row.repeats))}." for row in rows if row.repeats),
        *(f"{row.label}: {'; '.join(row.beside)}." for row in rows if row.beside),
        *test_rewards(runs),
        *ties(rows),
    ]


def test_rewards(runs: Iterable[Run]) -> list[str]:
    """Return the warning for searches whose reward was a test accuracy of a table."""
    rewarded = any(TEST_REWARD in (run.result.get("error_kind"), run.source.get("error_kind")) for run in runs)
    text = "table (test): the reward of these searches was a test accuracy, so they saw the test data that they report."
    return [text] * rewarded


def ties(rows: Iterable[Method]) -> list[str]:
    """Return the rule that breaks ties of the best reward, and the number of searches with such a tie by row."""
    tied = {row.label: sum(_is_tied(run) for run in (row.searches or row.runs)) for row in rows}
    counts = ", ".join(f"{label} {number}" for label, number in tied.items() if number)
    return [f"{TIES}. Searches with such a tie: {counts}."] if counts else []


def _is_tied(run: Run) -> bool:
    tied = run.result.get("tied")
    return isinstance(tied, int | float) and tied > 1


def _counted(number: int) -> str:
    return f"{number} run{'s' * (number > 1)} with the seed and result of another count{'s' * (number == 1)} once"
