"""A table of values of (state, option), followed greedily but for a share of random options.

Baker et al. 2017 (MetaQNN), https://arxiv.org/abs/1611.02167, section 4; Zhong et al. 2018 (BlockQNN),
https://arxiv.org/abs/1708.05552. A space that offers ``state(prefix)`` shares values between walks of one state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, NonNegativeInt

from nasctl import walk
from nasctl.core import Architecture, Choices, State
from nasctl.errors import RequestError
from nasctl.strategy.policy import Numbers

Share = Annotated[float, Field(ge=0, le=1)]


class QTable:
    """Take an option of the highest value; with probability epsilon any option. Equal values are equally probable.

    ``epsilon`` lists (walks learnt from, probability from then on). Values start at ``initial``.
    """

    def __init__(
        self, space: Choices, seed: int, *, initial: float, epsilon: list[tuple[NonNegativeInt, Share]]
    ) -> None:
        starts = [start for start, _ in epsilon]
        if starts[:1] != [0] or starts != sorted(set(starts)):
            raise RequestError(
                f"strategy.policy.epsilon={[list(pair) for pair in epsilon]}: the numbers of walks must ascend from 0; "
                "order them"
            )
        self.state_of = walk.state_of(space)
        self.space, self.initial, self.schedule = space, initial, epsilon
        self.values: dict[str, list[float]] = {}
        self.walks = 0  # learnt from

    @property
    def epsilon(self) -> float:
        """Return the probability of a random option now."""
        return [share for start, share in self.schedule if start <= self.walks][-1]

    def sample(self, batch: int, numbers: Numbers) -> list[Architecture]:
        columns: dict[int, list[float]] = {}

        def number(place: int, row: int) -> float:
            if place not in columns:
                columns[place] = numbers(range(place, place + 1))[:, 0].tolist()
            return columns[place][row]

        def take_of(row: int) -> walk.Take:
            return lambda prefix, open_: self._take(prefix, open_, number(len(prefix), row))

        return [walk.extend(self.space, (), take_of(row), walk.to_the_end) for row in range(batch)]

    def _take(self, prefix: Sequence[int], open_: Sequence[int], number: float) -> int:
        """Return an option by a uniform number: below epsilon any, above it one of the best."""
        epsilon = self.epsilon
        if number < epsilon:
            return _at(open_, number / epsilon)
        values = [self.value(prefix, option) for option in open_]
        best = [option for option, value in zip(open_, values, strict=True) if value == max(values)]
        return _at(best, (number - epsilon) / (1 - epsilon))

    def value(self, prefix: Sequence[int], option: int) -> float:
        row = self.values.get(self._key(prefix))
        return self.initial if row is None else row[option]

    def best(self, prefix: Sequence[int]) -> float:
        return max((self.value(prefix, option) for option in walk.options(self.space, prefix)), default=0.0)

    def move(self, prefix: Sequence[int], option: int, target: float, rate: float) -> None:
        decision = walk.following_decision(self.space, prefix)
        options = len(decision.options) if decision is not None else 0
        row = self.values.setdefault(self._key(prefix), [self.initial] * options)
        row[option] += rate * (target - row[option])

    def _key(self, prefix: Sequence[int]) -> str:
        return repr(self.state_of(prefix))

    def count(self, walks: int) -> None:
        self.walks += walks

    def state_dict(self) -> State:
        return {"values": {state: list(row) for state, row in self.values.items()}, "walks": self.walks}

    def load_state_dict(self, state: State, /) -> None:
        self.values = {key: list(row) for key, row in state["values"].items()}
        self.walks = state["walks"]


def _at(options: Sequence[int], share: float) -> int:
    """Return the option at a share in [0, 1) of the options."""
    return options[min(int(share * len(options)), len(options) - 1)]
