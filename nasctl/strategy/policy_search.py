"""Policy search: a policy samples architectures, and an update moves it by their rewards.

With an LSTM and REINFORCE this is the method of Pham et al. 2018 (ENAS), https://arxiv.org/abs/1802.03268, and with an
estimator that trains each candidate from scratch that of Zoph and Le 2017, https://arxiv.org/abs/1611.01578; with
PPO that of NASNet; with a Q-table and Q-learning that of MetaQNN.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import PositiveInt

from nasctl.core import Architecture, Candidate, Choices, Feasible, State, Trial
from nasctl.strategy._proposals import feasible_of, first_feasible
from nasctl.strategy._walk_numbers import SampledAhead, WalkNumbers
from nasctl.strategy.final_selection import MakeFinalSelection
from nasctl.strategy.policy import MakePolicy
from nasctl.strategy.update import MakeUpdate

PARTS = ("policy", "update", "final_selection")
COUNTS = ("seed", "turn", "told", "updates")


class PolicySearch:
    """The policy learns from each ``samples`` trials, all of them its own samples; infeasible samples are rejected.

    ``horizon`` is the number of trials of the search, which the final selection may depend on.
    """

    relaxed = False
    resources: tuple[str, ...] = ()

    def __init__(
        self,
        space: Choices,
        feasible: Feasible,
        seed: int,
        *,
        policy: MakePolicy,
        update: MakeUpdate,
        final_selection: MakeFinalSelection,
        samples: PositiveInt,
        horizon: PositiveInt | None,
    ) -> None:
        self.space, self.feasible, self.seed, self.samples = space, feasible, seed, samples
        self.policy = policy(space, seed)
        self.update = update(self.policy, seed)
        self.final_selection = final_selection(horizon)
        self.turn = self.told = self.updates = self.sampled = 0
        self.queue: list[Architecture] = []  # sampled from the present policy, not asked yet
        self.batch: list[tuple[Architecture, float | None]] = []  # told since the last update; None where it failed
        self._open_streams()

    def _open_streams(self) -> None:
        self.numbers = WalkNumbers(self.space, self.seed, "controller", self.samples)
        self.ahead = SampledAhead(self.policy, self.space, self.seed)

    def sample(self) -> Candidate:
        return Candidate(first_feasible(self.feasible, self._sampled))

    def _sampled(self) -> Architecture:
        self.sampled += 1
        return self.ahead.at(self.sampled - 1, self.updates)

    def ask(self) -> Candidate:
        if not self.queue:
            self.queue = feasible_of(self.feasible, self._batch_of_samples)
        return Candidate(self.queue.pop(0), compared=self.final_selection.compares(self.told))

    def _batch_of_samples(self) -> list[Architecture]:
        self.turn += 1
        return self.policy.sample(self.samples, self.numbers.of(self.turn - 1))

    def tell(self, trial: Trial) -> None:
        self.final_selection.tell(trial)
        self.batch.append((trial.candidate.arch, trial.reward))
        self.told += 1
        if len(self.batch) == self.samples and self.final_selection.learns(self.told):
            self._learn([(arch, reward) for arch, reward in self.batch if reward is not None])
            self.batch.clear()
            self.queue.clear()

    def _learn(self, trials: list[tuple[Architecture, float]]) -> None:
        if trials:
            self.update.learn([arch for arch, _ in trials], [reward for _, reward in trials])
            self.updates += 1

    def derive(self) -> Architecture:
        return self.final_selection.derive()

    def facts(self) -> Mapping[str, Any]:
        """Return how often the policy has learnt, and how many trials its architecture was chosen from."""
        return {"controller": {"updates": self.updates, "selected_from": self.final_selection.candidates(self.told)}}

    def state_dict(self) -> State:
        parts = {name: getattr(self, name).state_dict() for name in PARTS}
        counts = {name: getattr(self, name) for name in COUNTS}
        walks = {"queue": list(self.queue), "batch": list(self.batch), "generator": self.sampled}
        return parts | counts | walks

    def load_state_dict(self, state: State) -> None:
        for name in PARTS:
            getattr(self, name).load_state_dict(state[name])
        for name in COUNTS:
            setattr(self, name, state[name])
        self.queue, self.batch, self.sampled = list(state["queue"]), list(state["batch"]), state["generator"]
        self._open_streams()
