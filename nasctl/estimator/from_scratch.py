"""Train every candidate from scratch, shortened: fewer epochs, images, channels or cells.

Zoph and Le 2017, https://arxiv.org/abs/1611.01578, section 4.1; the shortcuts are the usual ones of
the field.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Literal

import torch
from pydantic import PositiveInt

from nasctl.core import Candidate, ChoosesTraining, Dataset, Evaluation, TrainableContext, Trainer
from nasctl.errors import RequestError, TrialError
from nasctl.estimator._child import Child, Course, checked
from nasctl.estimator._independent import IndependentEstimator
from nasctl.out_of_memory import of_one_candidate
from nasctl.seeds import position_seed


class FromScratch(IndependentEstimator):
    """Builds the candidate in ``form`` resized by ``size``, trains it, and scores it on the validation half.

    The schedule is of ``epochs`` on the training half; a candidate's own fidelity stops it earlier. It is validated
    at its end, and with ``validate_every`` after each so many epochs; ``report`` says which of the last
    ``report_of`` validations are its metrics. Its work is that of its epochs, with the one in which it diverged if it
    did, and of all validations.

    A candidate that ``continues`` a trial goes on from its whole state with its seed, so that 1 + 2 epochs equal 3;
    one that ``inherits`` from a trial starts from its weights. States of children are kept where the strategy uses
    them, or with ``keep_states``. Random numbers are a function of the search's seed and the index of the trial, or
    of the first trial whose training is continued.
    """

    error_kind = "short training"

    def __init__(
        self,
        context: TrainableContext,
        *,
        trainer: Callable[..., Trainer],
        epochs: PositiveInt,
        form: Literal["search", "final"],
        size: dict[str, PositiveInt],
        validate_every: PositiveInt | None,
        report: Literal["last", "best", "mean"],
        report_of: PositiveInt | None,
        keep_states: bool,
    ) -> None:
        if report != "last" and validate_every is None:
            raise RequestError(
                f"estimator.report={report} chooses among validations, of which there is one; set "
                "estimator.validate_every, as estimator.validate_every=1"
            )
        self.context, self.space, self.dataset, self.seed = context, context.space, context.data, context.seed
        self.make_trainer = trainer
        self.course = Course(trainer(), epochs, validate_every, report, report_of)
        self.form, self.size, self.keep_states = form, size, keep_states
        wanted = context.children is not None and (keep_states or context.children.wanted)
        self.children = context.children if wanted else None

    def evaluate(self, candidate: Candidate, index: int) -> Evaluation:
        child = self._child(candidate, index)
        try:
            with of_one_candidate():
                metrics = child.train(self.context, index)
        except TrialError as error:
            raise TrialError(str(error), child.work(self.space, self.dataset)) from error
        if self.children is not None:
            self.children.save(index, child.record())
        work = child.work(self.space, self.dataset)
        curve = child.curve if self.course.validate_every else ()
        return Evaluation(metrics, curve=tuple(curve), work=work, facts=child.facts)

    def _child(self, candidate: Candidate, index: int) -> Child:
        """Return the network of a candidate, untrained or as an earlier trial left it."""
        first, earlier = index, None
        if candidate.continues is not None:
            earlier = self._state(candidate.continues)
            first = self.course.first(earlier, candidate, index)
        seed = position_seed(self.seed, "candidate", first)
        with of_one_candidate():
            torch.manual_seed(seed)
            network = self.space.build(self.space.genotype(candidate.arch), self.form, **self.size)
        child = Child(
            network, candidate.arch, self._course(candidate), first, seed, self.course.stop(candidate), earlier
        )
        child.keeps = self.children is not None
        if candidate.inherits is not None and earlier is None:
            generator = torch.Generator().manual_seed(position_seed(seed, "inherit"))
            child.inherit(self.space, self._state(candidate.inherits), generator)
        return child

    def _course(self, candidate: Candidate) -> Course:
        """Return how a candidate is trained, with the settings of the trainer that it names."""
        if not isinstance(self.space, ChoosesTraining):
            return self.course
        return replace(self.course, trainer=self.trainer_with(self.space.training(candidate.arch)))

    def trainer_with(self, settings: Mapping[str, Any]) -> Trainer:
        return self.make_trainer(**settings)

    def _state(self, index: int) -> dict[str, Any]:
        if self.children is None:
            raise RequestError(
                f"strategy: a candidate names trial {index}, but no states of children are kept; set "
                "estimator.keep_states=true"
            )
        return checked(self.children.load(index), index)

    def retain(self, indexes: Collection[int]) -> None:
        if self.children is not None and not self.keep_states:
            self.children.retain(indexes)

    @classmethod
    def reads(cls, settings: Mapping[str, Any], dataset: Dataset) -> Mapping[str, str]:
        return dataset.fingerprint()

    def fingerprint(self) -> Mapping[str, str]:
        return self.dataset.fingerprint()
