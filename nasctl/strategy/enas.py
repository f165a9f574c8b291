"""REINFORCE of an LSTM controller, whose last samples are the candidates to choose from.

Pham et al. 2018 (ENAS), https://arxiv.org/abs/1802.03268, sections 2.2 and 2.3, and its released code; with an
estimator that trains each candidate from scratch the method of Zoph and Le 2017, https://arxiv.org/abs/1611.01578.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor

from nasctl.core import Architecture, Candidate, Choices, Feasible, State, Trial
from nasctl.errors import RunError
from nasctl.seeds import position_seed
from nasctl.strategy._controller import Controller, Numbers, Samples
from nasctl.strategy._policy import Baseline
from nasctl.strategy._uniforms import Uniforms
from nasctl.walk import MAX_DECISIONS

log = logging.getLogger("nasctl")

Share = Annotated[float, Field(gt=0, lt=1)]
Beta = Annotated[float, Field(ge=0, lt=1)]
AT_ONCE = 32  # walks that are sampled together for the training of shared weights


class Enas:
    """Ascend ``(R - baseline) * log p(x)`` less ``skip_weight`` times the penalty, the mean of each ``samples`` trials.

    R is the reward plus ``entropy_weight`` times the walk's entropy: that of each decision's softmax, or with
    ``entropy=sampled`` the estimate ``-p log p`` of the options taken. Infeasible samples are drawn again. In the last
    ``selection`` of ``horizon`` trials the controller rests, and ``derive`` returns the best of them: architectures
    from the final policy, scored by the final weights, each on a batch of its own or all on the ``same``. Without a
    horizon it never rests. Without a ``selection`` neither, and ``derive`` returns the best of all trials.

    ``eps_hat``: what Adam adds to its denominator is added before the correction for the start, as in TensorFlow.
    """

    relaxed = False
    resources: tuple[str, ...] = ()

    def __init__(
        self,
        space: Choices,
        feasible: Feasible,
        seed: int,
        *,
        units: PositiveInt,
        layers: PositiveInt,
        init: PositiveFloat,
        shared: bool,
        temperature: PositiveFloat | None,
        tanh_constant: PositiveFloat | None,
        tanh_reduce: PositiveFloat,
        bias: dict[str, float] | None,
        fixed_bias: dict[str, dict[str, float]],
        lr: PositiveFloat,
        betas: tuple[Beta, Beta],
        eps: PositiveFloat,
        eps_hat: bool,
        samples: PositiveInt,
        baseline_momentum: Beta,
        baseline_corrected: bool,
        entropy: Literal["exact", "sampled"],
        entropy_weight: NonNegativeFloat,
        skip_target: Share,
        skip_weight: NonNegativeFloat,
        selection: PositiveInt | None,
        selection_batch: Literal["own", "same"],
        horizon: PositiveInt | None,
    ) -> None:
        if horizon is not None and selection is not None and selection >= horizon:
            log.warning(
                "strategy.selection=%d leaves the controller none of %d trials to learn from; lower it",
                selection,
                horizon,
            )
        self.feasible, self.seed = feasible, seed
        self.controller = Controller(
            space, position_seed(seed, "controller"), units=units, layers=layers, init=init, shared=shared,
            temperature=temperature, tanh_constant=tanh_constant, tanh_reduce=tanh_reduce,
            bias=bias, fixed_bias=fixed_bias,
        )  # fmt: skip
        self.optimizer = torch.optim.Adam(self.controller.parameters(), lr, betas, eps)
        self.baseline = Baseline(1, baseline_momentum, corrected=baseline_corrected)
        self.eps, self.eps_hat = eps, eps_hat
        self.samples, self.selection, self.horizon = samples, selection, horizon
        self.selection_batch = selection_batch
        self.entropy, self.entropy_weight = entropy, entropy_weight
        self.skip_target, self.skip_weight = skip_target, skip_weight
        self.turn = self.told = self.updates = self.sampled = 0
        self.queue: list[Architecture] = []  # sampled from the policy as it is, and not yet asked
        self.batch: list[tuple[Architecture, float | None]] = []  # told since the last update; None where it failed
        self.last: deque[tuple[Architecture, float]] = deque(maxlen=selection or 1)  # the best one without a selection
        self.failure = "none was told"
        self._open_streams()

    def _open_streams(self) -> None:
        columns = [len(self.controller.decisions)] if self.controller.fixed else []
        self.asking = Uniforms([self.seed], "controller", (self.samples, *columns), torch.float64)
        self.sampling = Uniforms([self.seed], "sample", (AT_ONCE, *columns), torch.float64)
        self._ahead: tuple[int, int, list[Architecture]] = (-1, -1, [])  # block, updates, its walks

    def sample(self) -> Candidate:
        refused: list[Architecture] = []
        while len(refused) < self.feasible.tries:
            arch = self._sampled()
            if self.feasible(arch):
                return Candidate(arch)
            refused.append(arch)
        raise self.feasible.refusal(refused)

    def _sampled(self) -> Architecture:
        """Return the next walk for the shared weights; walks are sampled a block ahead, anew after each update."""
        block, place = divmod(self.sampled, AT_ONCE)
        if self._ahead[:2] != (block, self.updates):
            samples = self.controller.sample(AT_ONCE, self._numbers(self.sampling, block))
            self._ahead = block, self.updates, samples.architectures()
        self.sampled += 1
        return self._ahead[2][place]

    def ask(self) -> Candidate:
        if not self.queue:
            self.queue = self._draw()
        return Candidate(self.queue.pop(0), compared=self.choosing and self.selection_batch == "same")

    def _draw(self) -> list[Architecture]:
        """Return the feasible ones of a batch of samples, one at least."""
        refused: list[Architecture] = []
        while len(refused) < self.feasible.tries:
            numbers = self._numbers(self.asking, self.turn)
            drawn = self.controller.sample(self.samples, numbers).architectures()
            self.turn += 1
            kept = [arch for arch in drawn if self.feasible(arch)]
            if kept:
                return kept
            refused += drawn
        raise self.feasible.refusal(refused)

    def _numbers(self, stream: Uniforms, turn: int) -> Numbers:
        """Return the numbers of a batch: a function of seed, turn, sample and step."""
        seed = torch.zeros(1, dtype=torch.long)  # the only one of the stream
        if self.controller.fixed:
            whole = stream.at(seed, torch.tensor([turn]))[0]
            return lambda group: whole[:, group.start : group.stop]
        return lambda group: torch.stack(
            [stream.at(seed, torch.tensor([turn * MAX_DECISIONS + step]))[0] for step in group], 1
        )

    def tell(self, trial: Trial) -> None:
        arch, reward = trial.candidate.arch, trial.reward
        self.failure = trial.error or self.failure
        if reward is not None and (self.selection or not self.last or reward > self.last[0][1]):
            self.last.append((arch, reward))
        self.batch.append((arch, reward))
        self.told += 1
        if len(self.batch) == self.samples and not self.resting:
            self._learn([(arch, reward) for arch, reward in self.batch if reward is not None])
            self.batch.clear()
            self.queue.clear()

    @property
    def resting(self) -> bool:
        """Whether the trials left are those to select from."""
        return self._left < 0

    @property
    def choosing(self) -> bool:
        """Whether the next trial is one of those to select from."""
        return self._left <= 0

    @property
    def _left(self) -> float:
        """Return how many more trials the controller learns from."""
        if self.horizon is None or self.selection is None:
            return math.inf
        return self.horizon - self.selection - self.told

    def _learn(self, told: list[tuple[Architecture, float]]) -> None:
        if not told:
            return
        samples = self.controller.score([arch for arch, _ in told])
        self.optimizer.zero_grad()
        self.loss(samples, [reward for _, reward in told]).backward()
        if self.eps_hat:
            for group in self.optimizer.param_groups:
                group["eps"] = self.eps / math.sqrt(1 - group["betas"][1] ** (self.updates + 1))
        self.optimizer.step()
        self.updates += 1

    def loss(self, samples: Samples, rewards: list[float]) -> Tensor:
        """Return what an update descends; the baseline takes in the rewards one by one."""
        rewarded = torch.tensor(rewards, dtype=torch.float64) + self.entropy_weight * self._entropy(samples)
        told = torch.tensor([True])
        advantages = torch.cat([self.baseline.advantage(reward, told) for reward in rewarded.split(1)])
        objective = advantages * samples.log_probabilities.sum(1)
        return (self.skip_weight * samples.skip_penalty(self.skip_target) - objective).mean()

    @torch.no_grad()
    def _entropy(self, samples: Samples) -> Tensor:
        if self.entropy == "exact":
            return samples.entropies.sum(1)
        return -(samples.log_probabilities * samples.log_probabilities.exp()).sum(1)

    def derive(self) -> Architecture:
        if not self.last:
            raise RunError(
                f"no trial has succeeded, so there is no architecture to derive; the last one: {self.failure}"
            )
        return max(self.last, key=lambda trial: trial[1])[0]

    def facts(self) -> Mapping[str, Any]:
        """Return how often the controller has learnt, and how many trials its architecture was chosen from."""
        selected_from = self.told if self.selection is None else len(self.last)
        return {"controller": {"updates": self.updates, "selected_from": selected_from}}

    def state_dict(self) -> State:
        counts = {name: getattr(self, name) for name in ("seed", "turn", "told", "updates", "failure")}
        trials = {name: [[list(arch), reward] for arch, reward in getattr(self, name)] for name in ("batch", "last")}
        saved = {name: getattr(self, name).state_dict() for name in ("controller", "optimizer", "baseline")}
        return {**saved, **counts, **trials, "queue": [list(arch) for arch in self.queue], "generator": self.sampled}

    def load_state_dict(self, state: State) -> None:
        for name in ("controller", "optimizer", "baseline"):
            getattr(self, name).load_state_dict(state[name])
        for name in ("seed", "turn", "told", "updates", "failure"):
            setattr(self, name, state[name])
        self.batch = [(tuple(arch), reward) for arch, reward in state["batch"]]
        self.last.clear()
        self.last.extend((tuple(arch), reward) for arch, reward in state["last"])
        self.queue, self.sampled = [tuple(arch) for arch in state["queue"]], state["generator"]
        self._open_streams()
