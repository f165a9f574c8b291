"""Selection: train each found architecture for a short time, and keep the best by validation.

Liu et al. 2019, https://arxiv.org/abs/1806.09055, section 3.1: four searches, each cell trained for 100 epochs.
The training half trains and the validation half scores; the test split is out of reach.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from nasctl.core import (
    Dataset,
    Genotype,
    Metrics,
    Reward,
    State,
    StepCallback,
    TrainableSpace,
    Trainer,
    TrainingSession,
)
from nasctl.errors import RequestError, RunError, TrialError
from nasctl.genotype_source import Source
from nasctl.out_of_memory import of_one_candidate
from nasctl.search.loop import Append
from nasctl.seeds import position_seed

PASS = 3  # a forward and backward pass, in forward passes


class Selection:
    """Trains the final form of each genotype for ``epochs`` and scores it by ``reward``, higher is better.

    All start from the same seed and see the same batches, so equal genotypes score equally. ``append`` gets a
    line an epoch for history.jsonl and one a candidate for trials.jsonl. ``work`` is in multiply-accumulates.
    """

    def __init__(
        self,
        space: TrainableSpace,
        genotypes: Sequence[Genotype],
        trainers: Sequence[Trainer],  # of each genotype
        dataset: Dataset,
        reward: Reward,
        device: torch.device,
        seed: int,
        epochs: int,
        append: Append,
    ) -> None:
        self.space, self.genotypes, self.trainers, self.dataset = space, genotypes, trainers, dataset
        self.reward, self.device, self.seed, self.epochs, self.append = reward, device, seed, epochs, append
        self.scores: list[dict[str, Any]] = []  # of the candidates that are done
        self.training: State | None = None  # of the one under way
        self.ended = 0  # epochs of it
        self.work = 0

    def run(self, tick: StepCallback) -> None:
        """Train and score what is left; ``tick`` is called between steps."""
        while len(self.scores) < len(self.genotypes):
            line = self._evaluate(self.genotypes[len(self.scores)], tick)
            self.append("trials.jsonl", line)
            self.scores.append(line)
            self.training, self.ended = None, 0
            tick(self.state_dict, self._shown({}))

    def _evaluate(self, genotype: Genotype, tick: StepCallback) -> dict[str, Any]:
        torch.manual_seed(position_seed(self.seed, "network"))
        net = self.space.build(genotype, "final")
        line: dict[str, Any] = {"index": len(self.scores), "reward": None, "metrics": None, "error": None}
        try:
            with of_one_candidate():
                self._train(net.to(self.device), tick)
                metrics = self._trainer.evaluate(net, self.dataset, self.dataset.val())
            line |= {"reward": self.reward(metrics), "metrics": dict(metrics)}
        except TrialError as error:
            line["error"] = str(error)
        self._count(net)
        return line

    @property
    def _trainer(self) -> Trainer:
        """The trainer of the genotype under way."""
        return self.trainers[len(self.scores)]

    def _train(self, net: nn.Module, tick: StepCallback) -> None:
        def between(state: Callable[[], State], values: Mapping[str, Any]) -> None:
            tick(lambda: self.state_dict() | {"training": state()}, self._shown(values))

        session = TrainingSession(
            seed=self.seed, schedule_epochs=self.epochs, on_step=between, record=self._record, state=self.training
        )
        self._trainer.fit(net, self.dataset, self.dataset.train(), session)

    def _record(self, line: Mapping[str, Any]) -> None:
        self.ended += 1
        self.append("history.jsonl", {"candidate": len(self.scores), **line})

    def _count(self, net: nn.Module) -> None:
        """Add the work of a network that is done with: it moves to the meta device to be counted."""
        trained = min(self.ended + 1, self.epochs) * len(self.dataset.train())  # with the epoch that diverged
        validated = len(self.dataset.val()) if self.ended == self.epochs else 0
        self.work += int(self.space.count(net.to("meta"))["macs"]) * (PASS * trained + validated)

    def _shown(self, values: Mapping[str, Any]) -> dict[str, Any]:
        done, total = len(self.scores), len(self.genotypes)
        share = (done + (values.get("share") or 0.0)) / total
        return {**values, "phase": f"candidate {min(done + 1, total)} of {total}", "share": share}

    def best(self) -> int:
        """Return the index of the candidate with the highest reward, or raise `RunError` if all failed.

        Of equal rewards the candidate that ``from`` names first wins.
        """
        rewards = [-math.inf if line["reward"] is None else line["reward"] for line in self.scores]
        if max(rewards) == -math.inf:
            raise RunError(f"selection: no candidate could be scored; the last one: {self.scores[-1]['error']}")
        return rewards.index(max(rewards))

    def ties(self) -> dict[str, int]:
        """Return in ``tied`` how many different genotypes share the highest reward, if there are several."""
        best = self.scores[self.best()]["reward"]
        equal = [genotype for genotype, line in zip(self.genotypes, self.scores, strict=True) if line["reward"] == best]
        unlike = [genotype for i, genotype in enumerate(equal) if genotype not in equal[:i]]
        return {"tied": len(unlike)} if len(unlike) > 1 else {}

    def metrics(self) -> Metrics:
        """Return the validation metrics of the best candidate."""
        metrics: Metrics = self.scores[self.best()]["metrics"]
        return metrics

    def state_dict(self) -> State:
        return {"scores": self.scores, "training": self.training, "ended": self.ended, "work": self.work}

    def load_state_dict(self, state: State) -> None:
        self.scores, self.training = list(state["scores"]), state["training"]
        self.ended, self.work = state["ended"], state["work"]


def listed(given: Any) -> list[str]:
    """Return the runs that ``from`` lists, each once, or raise `RequestError`."""
    names = list(dict.fromkeys(map(str, given if isinstance(given, list) else filter(None, [given]))))
    if not names:
        raise RequestError("from: nothing to start from; name finished searches, as in nasctl select RUN RUN")
    return names


def check_devices(sources: Sequence[Source], device: torch.device) -> None:
    """Raise `RequestError` if days of different kinds of device would have to be added."""
    for source in sources:
        kind = source.facts["device"]["type"]
        if kind != device.type:
            raise RequestError(
                f"from: {source.name} searched on {kind}, here it is {device.type}, and their days do not add up; "
                f"add device={kind} or leave that run out"
            )


def label_of(sources: Sequence[Source]) -> str:
    """Return the name that tables give the best of several searches."""
    first = sources[0].facts
    return f"{first['label'] or first['choices']['strategy']}, best of {len(sources)}"


def total(sources: Sequence[Source], what: str) -> dict[str, Any]:
    """Return the sum over searches of their ``cost`` (seconds) or ``work``, by phase; RequestError if one lacks it."""
    for source in sources:
        if source.facts[what] is None:
            raise RequestError(f"from: {source.name} has no record of its {what}; run that search again")
    return {phase: sum(source.facts[what][phase] for source in sources) for phase in sources[0].facts[what]}


def total_known(sources: Sequence[Source], what: str) -> dict[str, float | None]:
    """Return the sum over searches of what not all runs record, by phase; None where one lacks it."""
    parts = [source.facts.get(what) or {} for source in sources]
    columns = {phase: [part.get(phase) for part in parts] for phase in ("search", "selection", "retrain")}
    known = {phase: [value for value in column if value is not None] for phase, column in columns.items()}
    return {phase: sum(known[phase]) if known[phase] == column else None for phase, column in columns.items()}
