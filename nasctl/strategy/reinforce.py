"""REINFORCE on independent logits of each decision, with or without the rejection-based reward of TabNAS.

Williams 1992, https://doi.org/10.1007/BF00992696; Bender et al. 2020 (TuNAS),
https://arxiv.org/abs/2008.06120; Yang et al. 2022 (TabNAS), https://arxiv.org/abs/2204.07615, section 4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor

from nasctl import walk
from nasctl.core import SKIPPED, Architecture, Candidate, Choices, Feasible, Skipped, State, Trial
from nasctl.seeds import position_seed
from nasctl.strategy._final_samples import FinalSamples
from nasctl.strategy._records import Records
from nasctl.strategy._schedule import Schedule
from nasctl.strategy._uniforms import Uniforms
from nasctl.strategy._widest import widest
from nasctl.strategy.feasibility import FeasibleSets, MakeFeasibility
from nasctl.strategy.pick import Pick
from nasctl.strategy.policy import MakeVectorizedPolicy
from nasctl.strategy.policy._categorical import choose
from nasctl.strategy.update import MakeVectorizedUpdate

Share = Annotated[float, Field(ge=0, le=1)]
PARTS = ("policy", "update", "records")
ELSE = "random_search, regularized_evolution"


class Reinforce:
    """A policy for each seed; all move together as one batch of tensors, and a search is the batch of one.

    A sample that is infeasible is skipped where ``feasibility`` rejects it. In the share ``warmup`` of the search the
    policies wait, and shared weights see the widest options often.
    """

    relaxed = False
    resources: tuple[str, ...] = ()

    def __init__(
        self,
        space: Choices,
        feasible: Feasible,
        seed: int | Sequence[int],
        *,
        policy: MakeVectorizedPolicy,
        update: MakeVectorizedUpdate,
        feasibility: MakeFeasibility,
        pick: Pick,
        pick_samples: PositiveInt,
        horizon: PositiveInt | None,
        warmup: Share,
        lr_growth: PositiveFloat,
        lr_growth_from: Literal["start", "warmup"],
        vectorized: bool,
    ) -> None:
        self.schedule = Schedule(horizon=horizon, warmup=warmup, growth=lr_growth, growth_from=lr_growth_from)
        self.space = walk.fixed(space, "strategy: a policy of independent logits", ELSE)
        self.seeds, self.pick, self.pick_samples = [seed] if isinstance(seed, int) else list(seed), pick, pick_samples
        self.sets = FeasibleSets.of(self.space, feasible)
        self.feasibility = feasibility(self.sets)
        self.accepted = self.sets.members if self.feasibility.rejects else self.sets.covered
        self.policy = policy(self.space, self.seeds)
        self.policy.requires_grad_(False)  # the update has its gradients in closed form
        self.update = update(self.policy, self.feasibility, self.seeds)
        self.records = Records(len(self.seeds), len(self.sets.sizes))
        self.turn = 0
        self.generator = torch.Generator().manual_seed(position_seed(self.seeds[0], "strategy"))
        self._open_streams()

    def _open_streams(self) -> None:
        self.stream = Uniforms(self.seeds, "policy", (len(self.sets.sizes), 1), torch.float64)
        self.update.open_stream(self.seeds)
        self.final = FinalSamples(self.policy, self.sets, self.seeds, self.pick_samples)

    def draw(self, active: Tensor) -> tuple[Tensor, Tensor]:
        """Sample ``(replicas, decisions)``, and say which of the ``active (replicas,)`` are to be evaluated."""
        archs = choose(self.probabilities(), self.stream.together(self.turn), self.policy.sizes)[:, 0]
        self.turn += 1
        wanted = active & self.accepted(archs)
        self.records.sampled(archs, active, wanted)
        if bool((self.records.missed >= self.sets.feasible.tries).any()):
            raise self.final.refusal(int(self.records.missed.argmax()))
        return archs, wanted

    def learn(self, archs: Tensor, rewards: Tensor, told: Tensor) -> None:
        """Move the policies by the ``rewards (replicas,)`` of the last draw where ``told (replicas,)`` is true."""
        self.update.ascend(archs, rewards, told, self.schedule.rate(self.update.told))
        self.records.told(archs, rewards, told)

    def probabilities(self) -> Tensor:
        """Return each policy's probabilities, ``(replicas, decisions, options)``."""
        return self.policy.log_probabilities().exp()

    def picks(self) -> Tensor:
        """Return each replica's final architecture, ``(replicas, decisions)``; pure."""
        return self.pick.picks(self.final, self.records)

    def sample(self) -> Candidate:
        """Sample from the policy; in the warm-up sometimes with the widest option of decisions between numbers."""
        progress, warmup = float(self.schedule.progress(self.update.told)[0]), self.schedule.warmup
        if warmup and float(torch.rand((), generator=self.generator)) >= progress / warmup:
            return Candidate(widest(self.space, self._sampled()))
        for _ in range(self.sets.feasible.tries):
            arch = self._sampled()
            if not self.feasibility.rejects or bool(self.sets.members(torch.tensor([arch]))):
                return Candidate(arch)
        raise self.final.refusal(0)

    def _sampled(self) -> Architecture:
        """Sample from the first replica's policy, feasible or not."""
        uniforms = torch.rand(1, len(self.sets.sizes), 1, generator=self.generator, dtype=torch.float64)
        sampled = choose(self.probabilities()[:1], uniforms, self.policy.sizes)
        return tuple(sampled[0, 0].tolist())

    def ask(self) -> Candidate | Skipped:
        archs, wanted = self.draw(torch.tensor([True]))
        return Candidate(tuple(archs[0].tolist())) if bool(wanted) else SKIPPED

    def tell(self, trial: Trial) -> None:
        reward, told = -math.inf if trial.reward is None else trial.reward, torch.tensor([trial.error is None])
        self.learn(torch.tensor([trial.candidate.arch]), torch.tensor([reward], dtype=torch.float64), told)

    def derive(self) -> Architecture:
        return tuple(self.picks()[0].tolist())

    def facts(self) -> Mapping[str, Any]:
        """Return the policy's mode, which may be infeasible, and the probability of a feasible sample."""
        return {"policy": self.describe()[0]}

    def describe(self) -> list[dict[str, Any]]:
        """Return of each replica the policy's mode, P(V), exact or of the pick's samples, and skipped samples."""
        modes, masses = self.final.modes(), self.final.feasible_share()
        if self.feasibility.exact:
            masses = self.feasibility.mass(self.policy.log_probabilities(), torch.empty(0)).value
        columns = (modes, self.sets.members(modes), masses, self.records.skipped)
        return [
            {
                "mode": walk.names(self.space, mode),
                "mode_feasible": feasible,
                "feasible_mass": mass,
                "skipped": skipped,
            }
            for mode, feasible, mass, skipped in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def state_dict(self) -> State:
        parts = {name: getattr(self, name).state_dict() for name in PARTS}
        return {**parts, "turn": self.turn, "seeds": self.seeds, "generator": self.generator.get_state()}

    def load_state_dict(self, state: State) -> None:
        for name in PARTS:
            getattr(self, name).load_state_dict(state[name])
        self.turn, self.seeds = state["turn"], list(state["seeds"])
        self.generator.set_state(state["generator"])
        self._open_streams()
