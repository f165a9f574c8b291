"""A space whose every architecture has a known worth, a constraint that counts, and the loop's turns."""

from dataclasses import replace

import torch

from nasctl.core import SKIPPED, Decision, Evaluation, Trial
from nasctl.errors import ExhaustedError, RequestError
from nasctl.space._shared import RelaxedDecisions


class Table(RelaxedDecisions):
    """A space of ``length`` choices among ``width``; worth is the sum of the options' values."""

    def __init__(self, length=5, width=4, seed=0):
        options = tuple(f"option{k}" for k in range(width))
        self.decisions = tuple(Decision(f"decision{i}", "option", options) for i in range(length))
        self.values = torch.randn(length, width, generator=torch.Generator().manual_seed(seed))

    def worth(self, arch):
        return float(sum(self.values[i, option] for i, option in enumerate(arch)))

    def trial(self, index, candidate):
        """Return the trial of ``candidate``; with weights its loss is a smooth function of them."""
        if candidate.weights is None:
            return Trial(index, candidate, Evaluation({}), reward=self.worth(candidate.arch))
        mixed = torch.stack(list(candidate.weights)) * self.values
        loss = mixed.sum().square() - mixed.sum()
        return Trial(index, candidate, Evaluation({}, loss), reward=-float(loss.detach()))


class Growing:
    """A space whose first choice says how many more there are, and whose last choices have fewer options open."""

    kinds = (Decision("any", "option", tuple(f"option{k}" for k in range(4))),)
    size = None

    def __init__(self):
        table = Table()
        self.worth, self.trial = table.worth, table.trial

    def decision(self, prefix):
        if prefix and len(prefix) > prefix[0]:
            return None
        open_ = range(4) if not prefix else range(4 - len(prefix) // 2)
        return replace(self.kinds[0], name=f"decision{len(prefix)}", open=tuple(open_))

    def complete(self, prefix):
        return self.decision(prefix) is None


class Limit:
    """Feasible is what ``accepts`` says of what is ``known``; ``calls`` counts how often it was asked."""

    def __init__(self, accepts=lambda arch: True, tries=1000, known=None):
        self.accepts, self.tries, self.calls, self.refused = accepts, tries, 0, None
        self.known, self.partial = known or (lambda arch: True), known is not None

    def __call__(self, arch):
        self.calls += 1
        return self.known(arch) and self.accepts(arch)

    def covers(self, arch):
        return self.known(arch)

    def chain(self):
        return None

    def relaxed(self):
        return ()

    def refusal(self, refused):
        self.refused = list(refused)
        return RequestError("the limit is impossible; raise it")


def ask(strategy):
    """Return what ``strategy`` asks, None where it skips a turn or has asked for all."""
    try:
        candidate = strategy.ask()
    except ExhaustedError:
        return None
    return None if candidate is SKIPPED else candidate


def play(strategy, table, steps, start=0):
    """Play ``steps`` turns of the search loop and return what was sampled and asked."""
    seen = []
    for index in range(start, start + steps):
        sampled, asked = strategy.sample(), ask(strategy)
        for candidate in (sampled, asked):
            if candidate is not None:
                weights = [row.detach().clone() for row in candidate.weights or ()]
                seen.append([candidate.arch, weights])
        if asked is not None:
            strategy.tell(table.trial(index, asked))
    return seen
