"""The batches of a split, step after step, and the hidden state that a text carries from one to the next."""

from __future__ import annotations

import math
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from nasctl.core import Dataset, RecurrentNetwork, Split, State, TextSegment, Validation
from nasctl.errors import RequestError
from nasctl.hidden_state import detached
from nasctl.seeds import position_seed


class Stream(Protocol):
    """A split read in steps that count on from epoch to epoch."""

    steps: int  # of an epoch
    trains_to_score: bool  # whether a single path is scored in training mode
    replays: bool  # whether its inputs are tensors, which a graph can replay

    def __len__(self) -> int:
        """Return the number of examples."""

    def batch(self, position: int) -> tuple[Any, Tensor]:
        """Return inputs and targets of a step."""

    def architecture_batch(self, position: int) -> tuple[Any, Tensor]:
        """Return inputs and targets of an architecture step."""

    def keep(self, x: Any) -> None:
        """Note that the network has read ``x``, and that the next step follows it."""

    def penalty(self, x: Any) -> Tensor | float:
        """Return what the weights' loss on ``x`` has besides the data set's."""

    def share(self, x: Any) -> float:
        """Return how long a step is, as a share of the usual one."""

    def afresh(self) -> Stream:
        """Return the same stream, with nothing read."""

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...


class Examples:
    """Examples that do not depend on each other; norms use the statistics of the batch, so training mode scores."""

    trains_to_score = replays = True

    def __init__(self, split: Split, size: int, layout: torch.memory_format) -> None:
        self.split, self.size, self.layout = split, size, layout
        self.architecture = split.architecture if isinstance(split, Validation) else split
        self.steps = math.ceil(len(split) / size)

    def __len__(self) -> int:
        return len(self.split)

    def batch(self, position: int) -> tuple[Tensor, Tensor]:
        return self._batch(self.split, position)

    def architecture_batch(self, position: int) -> tuple[Tensor, Tensor]:
        return self._batch(self.architecture, position)

    def _batch(self, split: Split, position: int) -> tuple[Tensor, Tensor]:
        x, y = split.batch(self.size, *divmod(position, self.steps))
        return x.contiguous(memory_format=self.layout) if x.dim() == 4 else x, y

    def keep(self, x: Tensor) -> None:
        pass

    def penalty(self, x: Tensor) -> float:
        return 0.0

    def share(self, x: Tensor) -> float:
        return 1.0

    def afresh(self) -> Examples:
        return self

    def state_dict(self) -> State:
        return {}

    def load_state_dict(self, state: State) -> None:
        pass


class Text:
    """A text; what a network has made of a step's columns is what the next step begins with, zeros in a new epoch.

    A path is scored without dropout. ``tar_beta`` multiplies the mean squared change of the last layer's output from
    one token to the next (Liu et al. 2019, https://arxiv.org/abs/1806.09055, appendix A.1.2). All passes over one
    step drop the same, so that the differences between them are not those of their dropout.
    """

    trains_to_score = replays = False

    def __init__(self, split: Any, size: int, net: Any, tar_beta: float, *seed: int | str) -> None:
        self.split, self.size, self.net, self.tar_beta, self.seed = split, size, net, tar_beta, seed
        self.starts = [0]  # the steps with which epochs begin, as far as they are known
        self.steps = self._begun(1)
        self.hidden: Any = None

    def _begun(self, epoch: int) -> int:
        while len(self.starts) <= epoch:
            self.starts.append(self.starts[-1] + self.split.steps(self.size, len(self.starts) - 1))
        return self.starts[epoch]

    def __len__(self) -> int:
        return len(self.split)

    def batch(self, position: int) -> tuple[TextSegment, Tensor]:
        epoch = 0
        while self._begun(epoch + 1) <= position:
            epoch += 1
        step = position - self.starts[epoch]
        tokens, targets = self.split.batch(self.size, epoch, step)
        follows = step and self.hidden is not None
        hidden = self.hidden if follows else self.net.init_hidden(tokens.shape[1])
        return TextSegment(tokens, hidden, position_seed(*self.seed, position)), targets

    def architecture_batch(self, position: int) -> tuple[TextSegment, Tensor]:
        return self.batch(position)

    def keep(self, x: TextSegment) -> None:
        self.hidden = detached(x.after)

    def penalty(self, x: TextSegment) -> Tensor | float:
        if not self.tar_beta or x.outputs is None:
            return 0.0
        return self.tar_beta * x.outputs.diff(dim=0).square().mean()

    def share(self, x: TextSegment) -> float:
        return len(x.tokens) / float(self.split.bptt)

    def afresh(self) -> Text:
        return Text(self.split, self.size, self.net, self.tar_beta, *self.seed)

    def state_dict(self) -> State:
        return {"hidden": self.hidden}

    def load_state_dict(self, state: State) -> None:
        device = next(self.net.parameters()).device
        self.hidden = detached(state["hidden"], device)


def streams(
    dataset: Dataset,
    net: nn.Module,
    seed: int,
    *,
    size: int,
    bilevel: bool,
    layout: torch.memory_format,
    tar_beta: float,
) -> tuple[Stream, Stream]:
    """Return what weights are trained on and what mixtures learn from, ``size`` examples or columns of text a step."""
    reads_text = isinstance(net, RecurrentNetwork)
    if tar_beta and not reads_text:
        raise RequestError(f"estimator.tar_beta={tar_beta} is of a text's hidden states; set it to 0 for this data set")
    splits = (dataset.full(), dataset.full()) if not bilevel else (dataset.train(), dataset.val())
    if not reads_text:
        return Examples(splits[0], size, layout), Examples(splits[1], size, layout)
    return Text(splits[0], size, net, tar_beta, seed, "train"), Text(splits[1], size, net, 0.0, seed, "val")
