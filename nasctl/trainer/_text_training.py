"""The state of a language model's training: that of any training, the place in the text and the hidden state."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from nasctl.core import State, Trained
from nasctl.errors import TrialError
from nasctl.hidden_state import detached
from nasctl.trainer._mean import Mean, stalled
from nasctl.trainer._precision import Precision
from nasctl.trainer._state import is_count, is_number, require
from nasctl.trainer._training import Training

log = logging.getLogger("nasctl")


class TextTraining(Training):
    """``epoch`` and ``step`` of the next batch; ``hidden`` before it, None where the text begins.

    ``losses`` are the validation losses up to the step at which averaging began, ``rolled_back`` the epochs that
    were undone.
    """

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer, precision: Precision) -> None:
        super().__init__(model, optimizer, precision, None)
        self.epoch = self.step = 0
        self.hidden: Any = None
        self.perplexity: float | None = None  # of the last whole epoch
        self.losses: list[float] = []
        self.rolled_back: list[int] = []

    def carry(self, hidden: Any) -> None:
        """Go on to the next batch with the state ``hidden``, without its graph."""
        self.hidden, self.step = detached(hidden), self.step + 1

    def turn(self) -> None:
        """Go back to the beginning of the text, in the next epoch."""
        self.epoch, self.step, self.hidden = self.epoch + 1, 0, None

    def average_if_stalled(self, loss: float, patience: int) -> None:
        """Start to average the weights if the validation ``loss`` has stalled; else record it."""
        if self.average is None and stalled(self.losses, loss, patience):
            self.average = Mean(self.model)
        elif self.average is None:
            self.losses.append(loss)

    def roll_back(self, error: TrialError) -> dict[str, Any]:
        """Put the best weights back after an epoch that ended in ``error``, and return what the history says of it.

        An average begins anew. The ``error`` is raised if there are no weights to go back to.
        """
        if self.best.weights is None:
            raise error
        self.model.load_state_dict(self.best.weights)
        self.average = None if self.average is None else Mean(self.model)
        self.optimizer.state.clear()
        self.measured, self.examples = [], []
        self.rolled_back.append(self.epoch)
        log.warning("epoch %d: %s; went back to the weights after epoch %d", self.epoch, error, self.best.epoch)
        return {"rolled_back_to": self.best.epoch, "reason": str(error)}

    def kept(self, name: str, epoch: int) -> Trained:
        """Leave the weights ``name`` in the network, and return which they are."""
        return replace(self.finish(name, epoch), rolled_back=list(self.rolled_back))

    def state_dict(self) -> State:
        place = {"epoch": self.epoch, "step": self.step, "hidden": self.hidden}
        measures = {"perplexity": self.perplexity, "losses": self.losses, "rolled_back": self.rolled_back}
        return {**super().state_dict(), **place, **measures}

    def load_state_dict(self, state: State) -> None:
        _check(state)
        if state["average"]:
            self.average = Mean(self.model)
        super().load_state_dict(state)
        device = next(self.model.parameters()).device
        self.epoch, self.step, self.hidden = state["epoch"], state["step"], detached(state["hidden"], device)
        self.perplexity = state["perplexity"]
        self.losses, self.rolled_back = list(state["losses"]), list(state["rolled_back"])


def _check(state: State) -> None:
    """Raise ValueError for an impossible place in a text, and for wrong measures."""
    require(is_count(state["epoch"]) and is_count(state["step"]), "epoch, step")
    require((state["hidden"] is None) == (state["step"] == 0), "hidden")
    require(state["perplexity"] is None or is_number(state["perplexity"]), "perplexity")
    require(isinstance(state["losses"], list) and all(map(is_number, state["losses"])), "losses")
    require(isinstance(state["rolled_back"], list) and all(map(is_count, state["rolled_back"])), "rolled_back")
