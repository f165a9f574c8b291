"""Parts of strategies of a user's own: a mutation, an update and a policy."""

import torch

from nasctl import walk
from nasctl.strategy.policy.q_table import QTable


class LastDecision:
    """Changes the last decision to another open option where there is one."""

    def mutate(self, space, arch, generator):
        others = [option for option in walk.options(space, arch[:-1]) if option != arch[-1]]
        if not others:
            return arch
        return walk.changed(space, arch, len(arch) - 1, walk.pick(others, generator), generator)


class RewardWeighted:
    """Plain gradient ascent on ``reward * log p(x)``; its state is that of the policy."""

    def __init__(self, policy, seed, *, lr: float):
        self.policy, self.lr = policy, lr

    def learn(self, archs, rewards):
        parameters = list(self.policy.parameters())
        objective = (torch.tensor(rewards) * self.policy.score(archs).log_probabilities.sum(1)).mean()
        gradients = torch.autograd.grad(objective, parameters, allow_unused=True)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter += 0 if gradient is None else self.lr * gradient

    def state_dict(self):
        return {}

    def load_state_dict(self, state): ...


class Boltzmann(QTable):
    """A table of values that is followed by a softmax instead of greedily."""

    def __init__(self, space, seed, *, initial: float, temperature: float):
        super().__init__(space, seed, initial=initial, epsilon=[(0, 0.0)])
        self.temperature = temperature

    def _take(self, prefix, open_, number):
        values = torch.tensor([self.value(prefix, option) for option in open_], dtype=torch.float64)
        reached = (values / self.temperature).softmax(0).cumsum(0)
        return open_[min(int((number >= reached).sum()), len(open_) - 1)]


class Mute:
    """Lacks the method of a mutation."""
