"""The plain data that rooms hand to each other: decisions, candidates, evaluations, trials, tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from nasctl.errors import TrialError

if TYPE_CHECKING:
    from torch import Tensor

Architecture = tuple[int, ...]
"""Index of the chosen option, one per decision taken; what strategies see."""

Genotype = Mapping[str, Any]
"""Plain JSON data that names a network of a space; may lie outside the space's architectures."""

Edge = tuple[str, str, str]
"""An edge of a cell: from, to, operation."""

Metrics = Mapping[str, float]
"""Named figures. ``error`` is in percent, ``accuracy`` in [0, 1], ``loss`` in nats, ``perplexity`` its exponential.

``reported_error`` and ``reported_accuracy``, where given, are of training runs that the search did not see; the
record then reports them in place of what it searched by.
"""

State = dict[str, Any]
"""What ``state_dict`` returns: tensors, numbers, strings and containers of them, nothing else."""

StepCallback = Callable[[Callable[[], State], Mapping[str, Any]], None]
"""Called between training steps with (how to get the state, what to show); may raise `Interrupted`."""

Remark = Callable[[str], None]
"""Called with a sentence on what was read and has no effect."""

ProgressCallback = Callable[[Mapping[str, Any]], None]
"""The same where there is no state to save: called with what to show."""


def ignore(text: str) -> None:
    """Take a remark that nobody asked for."""


def nothing(epoch: int) -> None:
    """Do nothing after an epoch."""


@dataclass(frozen=True)
class Decision:
    """One categorical choice, taken by strategies.

    Decisions of one ``kind``, such as "filter height", have equal options, except those with ``inputs``; a learner
    may share what it knows of a kind, which does not grow with the depth of a network. ``open`` lists the options
    that may be taken here; None stands for all of them. ``inputs[i]`` is the position of the earlier decision that
    option i connects to, or a single position where the options are no and yes; negative numbers stand for the
    inputs of a cell. A strategy may compare the inputs with what it decides now, or ignore them.
    """

    name: str
    kind: str
    options: tuple[str, ...]
    open: tuple[int, ...] | None = None
    inputs: tuple[int, ...] = ()

    def open_options(self) -> Sequence[int]:
        """Return the options that may be taken, in ascending order."""
        return range(len(self.options)) if self.open is None else self.open


@dataclass(frozen=True)
class RelaxedChoice:
    """One choice whose options a supernet mixes; relaxed choices and decisions need not be the same."""

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """What a strategy asks to have evaluated, or what shared weights are trained on.

    ``weights`` holds one ``(num_options,)`` tensor per relaxed choice; ``active`` the only option that runs of each
    (its weight still multiplies); ``fidelity`` the share of the full budget in (0, 1], None for all of it.
    ``continues`` is the index of a trial of the same architecture whose training goes on from its whole state and
    with its seed; ``inherits`` the index of a trial whose weights a new training starts from. ``compared`` says that
    it is one of those among which the best is chosen: an estimator that scores on a part of the data takes the same
    for all.
    """

    arch: Architecture
    weights: Sequence[Tensor] | None = None
    active: Sequence[int] | None = None
    fidelity: float | None = None
    continues: int | None = None
    inherits: int | None = None
    compared: bool = False


class Skipped(Enum):
    """What ``ask`` returns where a turn asks for nothing."""

    SKIPPED = "skipped"


SKIPPED = Skipped.SKIPPED


@dataclass(frozen=True)
class Evaluation:
    """What an estimator found for a candidate.

    ``loss`` keeps its graph only where weights were given, and never leaves the process. ``curve`` holds the
    validation metrics after each epoch that was validated, ``work`` the multiply-accumulates of this evaluation,
    ``facts`` numbers that add up over a search, such as the simulated seconds of a table.
    """

    metrics: Metrics
    loss: Tensor | None = None
    curve: Sequence[Metrics] = ()
    work: int = 0
    facts: Metrics = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """An evaluated candidate, told to the strategy; a failed one has an ``error``, no evaluation and no reward.

    ``costs`` are those of the final form that the reward, the constraint and the strategy name in ``resources``;
    ``work`` also counts an evaluation that failed.
    """

    index: int
    candidate: Candidate
    evaluation: Evaluation | None
    _: KW_ONLY
    costs: Metrics = field(default_factory=dict)
    reward: float | None = None
    error: str | None = None
    work: int = 0


Tables = Sequence[Sequence[Sequence[float]]]
"""What neighbouring choices cost together: one table of each option of the first against each of the second."""


@dataclass(frozen=True)
class Chain:
    """A limit on a cost that is a sum over neighbouring decisions, or relaxed choices.

    ``tables[i][a][b]`` is what option a of decision i and option b of decision i + 1 cost together.
    """

    tables: Tables
    limit: float


@dataclass(frozen=True)
class Task:
    """What a space must know of a data set to build a network. ``input_shape`` is without the batch.

    ``categories`` holds the number of ids of each categorical input; these are the last inputs, after the numbers.
    """

    kind: str
    input_shape: tuple[int, ...]
    num_outputs: int
    categories: Sequence[int] = ()


@dataclass
class TextSegment:
    """What a supernet of language models reads in place of a tensor: a stretch of text and the state before it.

    The network that reads it stores in it the state ``after`` it and its ``outputs`` ``(T, B, H)`` before dropout.
    Its dropout is a function of ``seed``. A segment has as many examples as tokens.
    """

    tokens: Tensor  # (T, B)
    hidden: Any  # the network's own business; of B columns
    seed: int
    after: Any = None
    outputs: Tensor | None = None

    def __len__(self) -> int:
        return self.tokens.numel()


Result = Evaluation | TrialError
"""What comes back of a candidate: its evaluation, or why it failed."""
