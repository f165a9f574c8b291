"""The metrics of a single path with the shared weights as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from pydantic import ConfigDict, NonNegativeInt
from torch import Tensor, nn

from nasctl.core import Candidate, Dataset, Metrics
from nasctl.errors import RequestError
from nasctl.estimator._path_runner import PathRunner
from nasctl.estimator._recalibration import Recalibration
from nasctl.estimator._streams import Stream
from nasctl.trainer._evaluation import measured


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Settings of the node ``statistics``: those with which the norms of a single path are scored."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    norms: Literal["batch", "moving"]
    recalibrate: NonNegativeInt

    def check(self, images: bool) -> None:
        """Raise `RequestError` for settings that are of other data, or of which one undoes the other."""
        if self.norms == "moving" and not images:
            raise RequestError(
                "estimator.statistics.norms=moving: networks of text keep no moving averages; set "
                "estimator.statistics.norms=batch"
            )
        if self.norms == "moving" and self.recalibrate:
            raise RequestError(
                "estimator.statistics.norms=moving scores with the averages that training left, and "
                f"estimator.statistics.recalibrate={self.recalibrate} replaces them; set "
                "estimator.statistics.norms=batch or estimator.statistics.recalibrate=0"
            )


class PathScore:
    """Scores single paths on ``batches`` validation batches (None: all of them).

    Norms use the statistics of the batch, since running ones mix all paths; or those of ``recalibrate`` training
    batches; or the averages that training left. No weight moves.
    """

    def __init__(
        self,
        dataset: Dataset,
        runner: PathRunner,
        train: Stream,
        val: Stream,
        statistics: Statistics,
        batches: int | None,
    ) -> None:
        statistics.check(train.replays)
        self.dataset, self.runner, self.train, self.val, self.batches = dataset, runner, train, val, batches
        self.moving = statistics.norms == "moving"
        self.recalibration = Recalibration(runner.net, statistics.recalibrate)

    @torch.no_grad()
    def __call__(self, candidate: Candidate, turn: int) -> tuple[Metrics, int]:
        """Return the metrics of a path and their work.

        Candidates that are ``compared`` are scored on the first batches, all others on those from ``turn`` on.
        """
        total = self.val.steps
        count = total if self.batches is None else min(self.batches, total)
        start = turn if count < total and not candidate.compared else 0
        train, val, work = self.train.afresh(), self.val.afresh(), list[int]()
        with self._mode(val), self.recalibration.applied(lambda i: self._run(train, i, candidate, work)):
            outputs = (self._run(val, i, candidate, work) for i in range(start, start + count))
            metrics = measured(self.dataset, outputs)
        return metrics, sum(work)

    @contextmanager
    def _mode(self, val: Stream) -> Iterator[None]:
        """Score in training mode or in evaluation, and train afterwards."""
        train_mode(self.runner.net, val.trains_to_score and not self.moving)
        yield
        train_mode(self.runner.net, True)

    def _run(self, stream: Stream, position: int, candidate: Candidate, work: list[int]) -> tuple[Tensor, Tensor]:
        """Return the logits of a single path on a batch, and its targets; append the work to ``work``."""
        x, y = stream.batch(position)
        outputs = self.runner(x, candidate)
        stream.keep(x)
        work.append(self.runner.macs(candidate) * len(y))
        return outputs, y


def train_mode(net: nn.Module, mode: bool) -> None:
    """Switch norms and dropout; walking over all modules takes a while, so only where it is needed."""
    if net.training != mode:
        net.train(mode)
