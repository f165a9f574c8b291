"""REINFORCE on independent logits of each decision, with or without the rejection-based reward of TabNAS.

Williams 1992, https://doi.org/10.1007/BF00992696; Bender et al. 2020 (TuNAS),
https://arxiv.org/abs/2008.06120; Yang et al. 2022 (TabNAS), https://arxiv.org/abs/2204.07615, section 4.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor

from nasctl import walk
from nasctl.core import SKIPPED, Architecture, Candidate, Choices, Decision, Feasible, Skipped, State, Trial
from nasctl.errors import RequestError
from nasctl.seeds import position_seed
from nasctl.strategy._feasible_mass import FeasibleMass, MonteCarlo, Whole, exact
from nasctl.strategy._feasible_set import FeasibleSet, covered_set, feasible_set
from nasctl.strategy._policy import Baseline, Policy, choose, log_probability, one_hot
from nasctl.strategy._uniforms import Uniforms

Share = Annotated[float, Field(ge=0, le=1)]
Beta = Annotated[float, Field(ge=0, lt=1)]
Kind = Literal["none", "monte_carlo", "exact"]
TENSORS = ("told", "missed", "skipped", "last", "best", "best_rewards")  # a row of each replica


class Reinforce:
    """Ascend ``(reward - baseline) * log(p(x) / P(V))`` for each sample x; V is what is feasible.

    With ``feasibility=none`` V is everything, as in TuNAS: what costs too much is for the reward to say, and only
    what the estimator does not cover is skipped. Otherwise an infeasible sample is skipped, and P(V) is estimated
    from ``samples`` draws or computed exactly. Several seeds make as many independent replicas, which move together
    as one batch of tensors (``draw``, ``learn``, ``picks``); a search is the batch of one.
    """

    relaxed = False
    resources: tuple[str, ...] = ()

    def __init__(
        self,
        space: Choices,
        feasible: Feasible,
        seed: int | Sequence[int],
        *,
        lr: PositiveFloat,
        betas: tuple[Beta, Beta],
        eps: PositiveFloat,
        baseline_momentum: Beta,
        feasibility: Kind,
        samples: PositiveInt,
        proposal_uniform: Share,
        horizon: PositiveInt | None,
        warmup: Share,
        lr_growth: PositiveFloat,
        lr_growth_from: Literal["start", "warmup"],
        pick: Literal["mode", "feasible", "best"],
        pick_samples: PositiveInt,
        batched: bool,
    ) -> None:
        choices = walk.fixed(space, "strategy: a policy of independent logits", "random_search, regularized_evolution")
        if horizon is None and (warmup or lr_growth != 1):
            raise RequestError(
                f"strategy: warmup={warmup} and lr_growth={lr_growth} are shares of a search of known length; "
                "set budget.trials or strategy.horizon"
            )
        self.space, self.feasible = choices, feasible
        self.seeds = [seed] if isinstance(seed, int) else list(seed)
        sizes = [len(decision.options) for decision in choices.decisions]
        self.sizes, self.members = torch.tensor(sizes), feasible_set(sizes, feasible)
        self.covered = covered_set(sizes, feasible)
        self.widest = [widest(decision) for decision in choices.decisions]
        self.mass = self._mass(sizes, feasibility, samples, proposal_uniform)
        self.rejects, self.pick, self.pick_samples = feasibility != "none", pick, pick_samples
        self.policy = Policy(len(self.seeds), sizes, lr=lr, betas=betas, eps=eps)
        self.baseline = Baseline(len(self.seeds), baseline_momentum, corrected=True)
        self.horizon, self.warmup, self.lr_growth = horizon, warmup, lr_growth
        self.waited = warmup if lr_growth_from == "warmup" else 0.0  # share of the search before the rate grows
        self.turn = 0
        self.told, self.missed, self.skipped = (torch.zeros(len(self.seeds), dtype=torch.int64) for _ in range(3))
        self.last = torch.full((len(self.seeds), len(sizes)), -1)  # the last feasible sample of each
        self.best, self.best_rewards = self.last.clone(), torch.full((len(self.seeds),), -math.inf).double()
        self.generator = torch.Generator().manual_seed(position_seed(self.seeds[0], "strategy"))
        self._open_streams()

    def _mass(self, sizes: Sequence[int], kind: Kind, samples: int, uniform: float) -> FeasibleMass:
        ways: dict[str, Callable[[], FeasibleMass]] = {
            "none": Whole,
            "monte_carlo": lambda: MonteCarlo(sizes, self.members, samples=samples, uniform=uniform),
            "exact": lambda: exact(sizes, self.members, self.feasible),
        }
        return ways[kind]()

    def _open_streams(self) -> None:
        count, double = len(self.sizes), torch.float64
        self.stream = Uniforms(self.seeds, "policy", (count, 1), double)
        self.mass_stream = Uniforms(self.seeds, "mass", (count + self.mass.extra, self.mass.samples), torch.float32)
        self.pick_stream = Uniforms(self.seeds, "pick", (count, self.pick_samples), double)

    def draw(self, active: Tensor) -> tuple[Tensor, Tensor]:
        """Sample ``(replicas, decisions)``, and say which of the ``active (replicas,)`` are to be evaluated."""
        uniforms = self._uniforms(self.stream, self.turn)
        archs = choose(self.policy.log_probabilities().exp(), uniforms, self.sizes)[:, 0]
        self.turn += 1
        wanted = active & (self.members if self.rejects else self.covered)(archs)
        self.skipped = self.skipped + (active & ~wanted)
        self.missed = torch.where(wanted, 0, self.missed + active)
        self.last = torch.where(wanted[:, None], archs, self.last)
        if bool((self.missed >= self.feasible.tries).any()):
            raise self._refusal(int(self.missed.argmax()))
        return archs, wanted

    def learn(self, archs: Tensor, rewards: Tensor, told: Tensor) -> None:
        """Move the policies by the ``rewards (replicas,)`` of the last draw where ``told (replicas,)`` is true."""
        rate, advantage = self._rate(), self.baseline.advantage(rewards, told)
        gradient, moved = torch.zeros_like(self.policy.logits), told & (rate > 0)
        rows = moved.nonzero().flatten()  # P(V) is wanted of these alone
        mass = self.mass(self.policy.log_probabilities()[rows], self.mass_stream.at(rows, self.told[rows]))
        picked = one_hot(archs[rows], gradient.shape[2])
        gradient[rows] = advantage[rows, None, None] * (picked - mass.expected)
        moved[rows] = mass.value > 0
        self.policy.ascend(gradient, moved, rate)
        self.told = self.told + told
        better = told & (rewards > self.best_rewards)
        self.best = torch.where(better[:, None], archs, self.best)
        self.best_rewards = torch.where(better, rewards, self.best_rewards)

    def _uniforms(self, stream: Uniforms, position: int) -> Tensor:
        """Return the numbers that all replicas have at one position of a stream."""
        return stream.at(torch.arange(len(self.seeds)), torch.full((len(self.seeds),), position))

    def _rate(self) -> Tensor:
        """Return what multiplies the learning rate, ``(replicas,)``: 0 in the warm-up, then growing."""
        progress = self._progress()
        grown = (progress - self.waited) / (1 - self.waited) if self.waited < 1 else 0.0 * progress
        return torch.where(progress < self.warmup, 0.0, self.lr_growth**grown)

    def _progress(self) -> Tensor:
        return (self.told.double() / (self.horizon or math.inf)).clamp(max=1)

    def probabilities(self) -> Tensor:
        """Return each policy's probabilities, ``(replicas, decisions, options)``."""
        return self.policy.log_probabilities().exp()

    def modes(self) -> Tensor:
        """Return each policy's most probable architecture, feasible or not, ``(replicas, decisions)``."""
        return self.policy.log_probabilities().argmax(2)

    def picks(self) -> Tensor:
        """Return each replica's final architecture, ``(replicas, decisions)``; pure."""
        if self.pick == "feasible":
            return self._best_samples(self.members)
        if self.pick == "best" and bool((self.best >= 0).all()):
            return self.best
        modes = self.modes()
        covered = self.covered(modes)
        return modes if bool(covered.all()) else torch.where(covered[:, None], modes, self._best_samples(self.covered))

    def _best_samples(self, accepted: FeasibleSet) -> Tensor:
        """Return the most probable accepted sample of each replica, the last one asked for where there is none."""
        archs, scores = self._pick_samples(accepted)
        best = archs[torch.arange(len(archs)), scores.argmax(1)]
        found = torch.where(scores.isfinite().any(1)[:, None], best, self.last)
        if bool((found < 0).any()):
            raise self._refusal(int((found < 0).any(1).int().argmax()))
        return found

    def _pick_samples(self, accepted: FeasibleSet) -> tuple[Tensor, Tensor]:
        """Return samples ``(replicas, samples, decisions)`` and their log-probabilities, -inf where not accepted."""
        log_probabilities = self.policy.log_probabilities()
        archs = choose(log_probabilities.exp(), self._uniforms(self.pick_stream, 0), self.sizes)
        scores = log_probability(log_probabilities, archs)
        return archs, scores.masked_fill(~accepted(archs), -math.inf)

    def _refusal(self, replica: int) -> RequestError:
        archs, scores = self._pick_samples(self.members)
        refused = archs[replica][scores[replica].isinf()].tolist()
        return self.feasible.refusal([tuple(arch) for arch in refused])

    def sample(self) -> Candidate:
        """Sample from the policy; in the warm-up sometimes with the widest option of decisions between numbers."""
        progress, random = float(self._progress()[0]), self.generator
        if self.warmup and float(torch.rand((), generator=random)) >= progress / self.warmup:
            pairs = zip(self._sampled(), self.widest, strict=True)
            return Candidate(tuple(option if most is None else most for option, most in pairs))
        for _ in range(self.feasible.tries):
            arch = self._sampled()
            if not self.rejects or bool(self.members(torch.tensor([arch]))):
                return Candidate(arch)
        raise self._refusal(0)

    def _sampled(self) -> Architecture:
        """Draw from the first replica's policy, feasible or not."""
        uniforms = torch.rand(1, len(self.sizes), 1, generator=self.generator, dtype=torch.float64)
        drawn = choose(self.policy.log_probabilities()[:1].exp(), uniforms, self.sizes)
        return tuple(drawn[0, 0].tolist())

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
        modes = self.modes()
        inside = self._pick_samples(self.members)[1].isfinite().double().mean(1)
        exactly = self.rejects and not self.mass.samples
        masses = self.mass(self.policy.log_probabilities(), torch.empty(0)).value if exactly else inside
        columns = (modes, self.members(modes), masses, self.skipped)
        return [
            {
                "mode": {d.name: d.options[k] for d, k in zip(self.space.decisions, mode, strict=True)},
                "mode_feasible": feasible,
                "feasible_mass": mass,
                "skipped": skipped,
            }
            for mode, feasible, mass, skipped in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def state_dict(self) -> State:
        parts = {"policy": self.policy.state_dict(), "baseline": self.baseline.state_dict()}
        counts = {name: getattr(self, name) for name in ("turn", *TENSORS)}
        return {**parts, **counts, "seeds": self.seeds, "generator": self.generator.get_state()}

    def load_state_dict(self, state: State) -> None:
        self.policy.load_state_dict(state["policy"])
        self.baseline.load_state_dict(state["baseline"])
        self.turn, self.seeds = state["turn"], list(state["seeds"])
        for name in TENSORS:
            setattr(self, name, state[name].clone())
        self.generator.set_state(state["generator"])
        self._open_streams()


def widest(decision: Decision) -> int | None:
    """Return the option with the greatest number; None where options are no numbers, such as operations."""
    try:
        numbers = [float(option) for option in decision.options]
    except ValueError:
        return None
    return numbers.index(max(numbers))
