"""The vocabulary every room shares: plain data, and the protocols by which the rooms know each other.

Nothing here imports torch at run time, so the command line starts fast.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from nasctl.errors import RequestError, TrialError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Architecture = tuple[int, ...]
"""Index of the chosen option, one per decision taken; what strategies see."""

Genotype = Mapping[str, Any]
"""Plain JSON data that names a network of a space; may lie outside the space's architectures."""

Edge = tuple[str, str, str]
"""An edge of a cell: from, to, operation."""

Metrics = Mapping[str, float]
"""Named figures. ``error`` is in percent, ``accuracy`` in [0, 1], ``loss`` in nats, ``perplexity`` its exponential.

``reported_error`` and ``reported_accuracy``, where given, are of training runs that the search did not see; the
record then reports them in place of what it searched by.
"""

State = dict[str, Any]
"""What ``state_dict`` returns: tensors, numbers, strings and containers of them, nothing else."""

StepCallback = Callable[[Callable[[], State], Mapping[str, Any]], None]
"""Called between training steps with (how to get the state, what to show); may raise `Interrupted`."""

Remark = Callable[[str], None]
"""Called with a sentence on what was read and has no effect."""

ProgressCallback = Callable[[Mapping[str, Any]], None]
"""The same where there is no state to save: called with what to show."""


def ignore(text: str) -> None:
    """Take a remark that nobody asked for."""


def nothing(epoch: int) -> None:
    """Do nothing after an epoch."""


@dataclass(frozen=True)
class Decision:
    """One categorical choice, taken by strategies.

    Decisions of one ``kind``, such as "filter height", have equal options, except those with ``inputs``; a learner
    may share what it knows of a kind, which does not grow with the depth of a network. ``open`` lists the options
    that may be taken here; None stands for all of them. ``inputs[i]`` is the position of the earlier decision that
    option i connects to, or a single position where the options are no and yes; negative numbers stand for the
    inputs of a cell. A strategy may compare the inputs with what it decides now, or ignore them.
    """

    name: str
    kind: str
    options: tuple[str, ...]
    open: tuple[int, ...] | None = None
    inputs: tuple[int, ...] = ()

    def open_options(self) -> Sequence[int]:
        """Return the options that may be taken, in ascending order."""
        return range(len(self.options)) if self.open is None else self.open


@dataclass(frozen=True)
class RelaxedChoice:
    """One choice whose options a supernet mixes; relaxed choices and decisions need not be the same."""

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """What a strategy asks to have evaluated, or what shared weights are trained on.

    ``weights`` holds one ``(num_options,)`` tensor per relaxed choice; ``active`` the only option that runs of each
    (its weight still multiplies); ``fidelity`` the share of the full budget in (0, 1], None for all of it.
    ``continues`` is the index of a trial of the same architecture whose training goes on from its whole state and
    with its seed; ``inherits`` the index of a trial whose weights a new training starts from. ``compared`` says that
    it is one of those among which the best is chosen: an estimator that scores on a part of the data takes the same
    for all.
    """

    arch: Architecture
    weights: Sequence[Tensor] | None = None
    active: Sequence[int] | None = None
    fidelity: float | None = None
    continues: int | None = None
    inherits: int | None = None
    compared: bool = False


class Skipped(Enum):
    """What ``ask`` returns where a turn asks for nothing."""

    SKIPPED = "skipped"


SKIPPED = Skipped.SKIPPED


@dataclass(frozen=True)
class Evaluation:
    """What an estimator found for a candidate.

    ``loss`` keeps its graph only where weights were given, and never leaves the process. ``curve`` holds the
    validation metrics after each epoch that was validated, ``work`` the multiply-accumulates of this evaluation,
    ``facts`` numbers that add up over a search, such as the simulated seconds of a table.
    """

    metrics: Metrics
    loss: Tensor | None = None
    curve: Sequence[Metrics] = ()
    work: int = 0
    facts: Metrics = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """An evaluated candidate, told to the strategy; a failed one has an ``error``, no evaluation and no reward.

    ``costs`` are those of the final form that the reward, the constraint and the strategy name in ``resources``;
    ``work`` also counts an evaluation that failed.
    """

    index: int
    candidate: Candidate
    evaluation: Evaluation | None
    _: KW_ONLY
    costs: Metrics = field(default_factory=dict)
    reward: float | None = None
    error: str | None = None
    work: int = 0


Tables = Sequence[Sequence[Sequence[float]]]
"""What neighbouring choices cost together: one table of each option of the first against each of the second."""


@dataclass(frozen=True)
class Chain:
    """A limit on a cost that is a sum over neighbouring decisions, or relaxed choices.

    ``tables[i][a][b]`` is what option a of decision i and option b of decision i + 1 cost together.
    """

    tables: Tables
    limit: float


@dataclass(frozen=True)
class Task:
    """What a space must know of a data set to build a network. ``input_shape`` is without the batch.

    ``categories`` holds the number of ids of each categorical input; these are the last inputs, after the numbers.
    """

    kind: str
    input_shape: tuple[int, ...]
    num_outputs: int
    categories: Sequence[int] = ()


@dataclass
class TextSegment:
    """What a supernet of language models reads in place of a tensor: a stretch of text and the state before it.

    The network that reads it stores in it the state ``after`` it and its ``outputs`` ``(T, B, H)`` before dropout.
    Its dropout is a function of ``seed``. A segment has as many examples as tokens.
    """

    tokens: Tensor  # (T, B)
    hidden: Any  # the network's own business; of B columns
    seed: int
    after: Any = None
    outputs: Tensor | None = None

    def __len__(self) -> int:
        return self.tokens.numel()


class Choices(Protocol):
    """The side of a space that strategies see: a walk, decision by decision (see `nasctl.walk`).

    An architecture is any prefix of a walk after which a network may be built, so that a strategy may stop before
    the walk ends. ``size`` is the number of architectures, None where counting would visit every walk.
    """

    @property
    def size(self) -> int | None: ...

    def decision(self, prefix: Sequence[int]) -> Decision | None:
        """Return the decision that follows ``prefix``; None where the walk ends."""

    def complete(self, prefix: Sequence[int]) -> bool:
        """Return whether ``prefix`` is an architecture: a network may be built from it."""


@runtime_checkable
class Relaxation(Protocol):
    """A space whose supernet can mix the options of each of its ``relaxed_choices``."""

    relaxed_choices: tuple[RelaxedChoice, ...]

    def discretize(self, weights: Sequence[Tensor]) -> Architecture:
        """Return the architecture that a mixture of each relaxed choice points to."""

    def relaxed_path(self, arch: Architecture) -> Sequence[int]:
        """Return the option of each relaxed choice that ``arch`` runs; from these options `discretize` derives it."""


@runtime_checkable
class AdditiveCosts(Protocol):
    """A space some of whose costs are sums over neighbouring decisions."""

    additive: Collection[str]  # names of those costs

    def chain(self, name: str) -> Tables:
        """Return what neighbouring decisions cost together; see `Chain`."""


@runtime_checkable
class RelaxedCosts(Protocol):
    """A space some of whose costs are sums over neighbouring relaxed choices: a mixture has an expected cost."""

    additive: Collection[str]  # names of those costs

    def relaxed_chain(self, name: str) -> Tables:
        """Return what neighbouring relaxed choices cost together; see `Chain`."""


@runtime_checkable
class BatchedBuild(Protocol):
    """A space whose networks can be trained side by side, as one."""

    def stack(self, networks: Sequence[Any]) -> Any:
        """Return a network of ``networks`` side by side, which do not touch each other."""


@runtime_checkable
class RecurrentNetwork(Protocol):
    """A network that reads a text and carries a hidden state from one part of it to the next, or a layer of one."""

    def init_hidden(self, batch: int) -> Any:
        """Return the hidden state that a text begins with, for ``batch`` columns."""


@runtime_checkable
class FixedChoices(Protocol):
    """A space each of whose walks takes all ``decisions``, with all their options, whatever was decided before.

    Vectorized code, independent logits and enumeration read the decisions once.
    """

    decisions: tuple[Decision, ...]

    @property
    def size(self) -> int: ...

    def decision(self, prefix: Sequence[int]) -> Decision | None:
        """Return the decision whose position is the length of ``prefix``; None after the last."""

    def complete(self, prefix: Sequence[int]) -> bool:
        """Return whether ``prefix`` has taken all decisions."""


@runtime_checkable
class ChoicesByKind(Protocol):
    """A space whose walks differ, and which lists the kinds of its decisions for learners that have a part for each."""

    kinds: Sequence[Decision]  # one of each kind, without those that have inputs


@runtime_checkable
class TabularState(Protocol):
    """A space that says which walks are alike, for learners that keep a table."""

    def state(self, prefix: Sequence[int]) -> Hashable:
        """Return the state after ``prefix``: equal states have equal decisions ahead."""


@runtime_checkable
class ChoosesTraining(Protocol):
    """A space composed with training choices: some of its decisions name settings of the trainer."""

    def training(self, arch: Architecture) -> Mapping[str, Any]:
        """Return the settings of the trainer that ``arch`` names, by their path, as ``schedule.lr_min``."""

    def trainings(self) -> Iterable[Mapping[str, Any]]:
        """Return the settings that may come, for a check before anything is trained."""


class GenotypeFormat(Protocol):
    """What the genotypes of a family look like: one object a family. Its module does not import torch."""

    @property
    def family(self) -> str:
        """Return the name of the family, which is that of the folder of its published genotypes."""

    @property
    def marks(self) -> Sequence[str]:
        """Return what a genotype in a longer text begins with: calls, as Genotype; "|" or "["."""

    def parse(self, text: str, remark: Remark = ignore) -> Genotype:
        """Return the one genotype that ``text`` holds in a notation of the family, or raise `RequestError`."""

    def canonical(self, genotype: Genotype) -> Genotype:
        """Return the form that all genotypes of the same network share: runs and tables are told apart by it."""

    def notation(self, genotype: Genotype) -> str:
        """Return the family's usual notation; ``parse`` reads it back."""

    def check(self, genotype: Genotype) -> Genotype:
        """Return ``genotype`` if a network can be built from it, or raise `RequestError`."""

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        """Return countable facts worth watching during a search, such as skip connections."""

    def edges(self, genotype: Genotype) -> Mapping[str, Sequence[Edge]]:
        """Return the edges of each cell."""


class Costs(Protocol):
    """What networks cost that are built from genotypes."""

    def cost(self, genotype: Genotype, name: str) -> float:
        """Return ``params`` (trainable, no auxiliary head) or ``macs`` (multiply-accumulates of one
        example) of the final form."""


class SearchSpace(Choices, Costs, Protocol):
    """Which architectures exist, what they are called and cost: what a search and its records need of a space."""

    @property
    def format(self) -> GenotypeFormat: ...

    @property
    def num_operations(self) -> int:
        """Return how many operations there are to choose from."""

    def genotype(self, arch: Architecture) -> Genotype:
        """Return the genotype that ``arch`` stands for."""


@runtime_checkable
class Builder(Protocol):
    """A space whose genotypes become networks."""

    def build(self, genotype: Genotype, form: str, **size: int) -> nn.Module:
        """Return a network in the form ``search`` or ``final``; ``size`` replaces parts of the form."""

    def count(self, network: nn.Module) -> Mapping[str, int]:
        """Return ``params`` and ``macs`` of a network of this space that lies on the meta device."""


@runtime_checkable
class PathSupernet(Protocol):
    """A space with a network that holds the weights of all its architectures."""

    def supernet(self, **size: int) -> nn.Module:
        """Return that network, ``forward(x, candidate) -> logits``, of the form ``search``; ``size`` replaces parts
        of it. For language x is a `TextSegment`."""


class TrainableSpace(SearchSpace, Builder, Protocol):
    """A search space whose architectures can be trained one by one."""


class SharedWeightSpace(SearchSpace, Builder, PathSupernet, Protocol):
    """A search space whose architectures can be trained with shared weights."""


class BatchedSpace(SearchSpace, FixedChoices, Builder, BatchedBuild, Protocol):
    """A search space whose architectures can be trained side by side."""

    @property
    def size(self) -> int: ...


@runtime_checkable
class Inheritance(Protocol):
    """A space whose networks take over the weights of a parent of another architecture and keep its function.

    In other spaces tensors of equal name and shape are copied.
    """

    def inherit(
        self,
        network: nn.Module,
        genotype: Genotype,
        parent_genotype: Genotype,
        parent_weights: Mapping[str, Tensor],
        generator: torch.Generator,
    ) -> int:
        """Set the weights of ``network``, of ``genotype``; return how many of its tensors the parent gave."""


class FixedSpace(SearchSpace, FixedChoices, Protocol):
    """A search space each of whose walks takes the same decisions."""

    @property
    def size(self) -> int: ...


class Strategy(Protocol):
    """How a space is explored; knows decisions, and neither data, network nor device."""

    relaxed: bool  # asks with weights and learns from the gradient of the loss
    resources: tuple[str, ...]  # costs of the final form that it reads in a trial's ``costs``

    def sample(self) -> Candidate:
        """Return a candidate to train shared weights on; touches only the random stream."""

    def ask(self) -> Candidate | Skipped | None:
        """Return the next candidate to evaluate; the k-th candidate returned comes back to ``tell`` as trial k.

        `SKIPPED` where this turn asks for nothing, as where a sample is infeasible. None to wait until more is told,
        which takes no turn and leaves the strategy as it is. `ExhaustedError` where no candidate is left.
        """

    def tell(self, trial: Trial) -> None:
        """Learn from a trial."""

    def derive(self) -> Architecture:
        """Return the architecture found so far; pure."""

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...


@runtime_checkable
class Reporting(Protocol):
    """A strategy that has more to say in result.json than its architecture."""

    def facts(self) -> Mapping[str, Any]:
        """Return what result.json says of the strategy at the end of a search."""


class Estimator(Protocol):
    """Performance estimation: the metrics of a candidate, without its full training.

    An evaluation is a function of seed, index and candidate, of a child's stored state where the candidate names one,
    and of the shared weights where there are any. Each class says which random numbers it uses.
    """

    takes_relaxed: bool  # can evaluate a candidate with weights
    error_kind: str  # the kind of its error: "proxy", "short training", ...

    def evaluate(self, candidate: Candidate, index: int) -> Evaluation:
        """Return the metrics of the candidate of trial ``index``, with its loss if it has weights.

        `TrialError` where this candidate alone fails, with the work that it took.
        """

    def fingerprint(self) -> Mapping[str, str]:
        """Return hashes of what it reads: of the data and the split's indices, or of a table."""

    def facts(self) -> Mapping[str, Any]:
        """Return what result.json says of the estimate beyond the settings."""

    def state_dict(self) -> State: ...

    def load_state_dict(self, state: State) -> None: ...


@runtime_checkable
class WeightSharing(Protocol):
    """An estimator whose candidates share weights: one candidate at a time, in turn with ``fit``."""

    def fit(self, sample: Callable[[], Candidate]) -> Mapping[str, Any] | None:
        """Take one step of training the shared weights, if one is due; return values to show while more are due, else
        None. The state is whole between steps."""

    def score(self, candidate: Candidate) -> Metrics:
        """Return the metrics of a picked candidate: a function of it and of the weights, which stay as they are."""

    def spent(self) -> tuple[float, int]:
        """Return the passes of the shared weights over their training data so far, and the multiply-accumulates."""


@runtime_checkable
class LookUp(Protocol):
    """An estimator that looks results up, so that hundreds of repeats and whole spaces are cheap."""

    def look_up(self, arch: Architecture) -> Metrics:
        """Return the metrics of an architecture."""


@runtime_checkable
class Covering(Protocol):
    """An estimator that may know a part of the space only; strategies ask for no other architecture."""

    partial: bool  # whether there may be architectures that it does not cover

    def covers(self, arch: Architecture) -> bool:
        """Return whether ``arch`` can be evaluated."""


@dataclass(frozen=True)
class EstimatorContext:
    """What every estimator works with, besides its settings."""

    space: SearchSpace
    data: Dataset
    device: torch.device
    seed: int
    report: ProgressCallback
    children: ChildStates | None = None  # where states of children are kept; None: they are not


class ChildStates(Protocol):
    """The states of the children of a search, by the index of their trial; in a run they lie in its directory."""

    wanted: bool  # whether the strategy continues children, or lets them inherit weights

    def save(self, index: int, state: State) -> None:
        """Write the state of a child, whole or not at all."""

    def load(self, index: int) -> State:
        """Return the state of a child; `RequestError` where there is none."""

    def retain(self, indexes: Collection[int]) -> None:
        """Have all other states deleted, as soon as no checkpoint needs them."""


@runtime_checkable
class UsesChildren(Protocol):
    """A strategy that continues the training of earlier trials, or lets children inherit their weights."""

    def needed_states(self) -> Collection[int]:
        """Return the trials whose states a candidate to come may name; a trial that failed has none."""


@runtime_checkable
class KeepsChildren(Protocol):
    """An estimator that keeps the states of its children, goes on from them and hands their weights down."""

    def retain(self, indexes: Collection[int]) -> None:
        """Keep the states of these trials; others are deleted as soon as no checkpoint needs them."""


@runtime_checkable
class TrainsEach(Protocol):
    """An estimator that trains each candidate with a trainer of its own, so that a space may choose its settings."""

    def trainer_with(self, settings: Mapping[str, Any]) -> Trainer:
        """Return the trainer with other ``settings``, or raise `RequestError` where these are none of its."""


@dataclass(frozen=True)
class TrainableContext(EstimatorContext):
    """The context of an estimator that trains networks one by one."""

    space: TrainableSpace


@dataclass(frozen=True)
class SharedWeightContext(EstimatorContext):
    """The context of an estimator that trains shared weights."""

    space: SharedWeightSpace


Result = Evaluation | TrialError
"""What comes back of a candidate: its evaluation, or why it failed."""


class Executor(Protocol):
    """The processes or machines that evaluate candidates.

    It changes no result: what an evaluation needs is in the candidate, its index and the settings.
    """

    def submit(self, index: int, candidate: Candidate) -> None:
        """Take in the candidate of trial ``index``; does not wait for its evaluation."""

    def finished(self) -> tuple[int, Result]:
        """Wait for the next candidate that is done, and return its index and result."""


@dataclass(frozen=True)
class ExecutorContext:
    """What every executor works with: the search's own estimator, and a function that builds it in another process.

    ``build`` can be pickled; it needs neither the data set nor the space of this process.
    """

    estimator: Estimator
    build: Callable[[], Estimator]


@runtime_checkable
class KnownBySettings(Protocol):
    """An estimator's class that tells what it reads from its settings alone, so that none need be built."""

    @classmethod
    def reads(cls, settings: Mapping[str, Any], dataset: Dataset) -> Mapping[str, str]:
        """Return the ``fingerprint`` of an estimator with these settings."""


@runtime_checkable
class GivesCosts(Protocol):
    """An estimator's class whose table has costs, which then count in place of those of the space's networks."""

    @classmethod
    def costs(cls, settings: Mapping[str, Any], space: SearchSpace) -> Mapping[str, Callable[[Genotype], float]]:
        """Return what each cost is read by, by its name, as ``params``; nothing is read before one is called."""


class Split(Protocol):
    """A part of a data set whose batches are pure functions of the position.

    A part of a text (task ``language``) has ``steps(size, epoch)`` besides, the number of its batches: ``size``
    columns are read in steps of differing lengths, inputs ``(T, B)`` and targets ``(T * B,)``, and its examples are
    the tokens to be predicted.
    """

    def __len__(self) -> int:
        """Return the number of examples."""

    def batch(self, size: int, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        """Return inputs ``(size, *input_shape)`` and targets ``(size,)``; the last batch may be smaller."""


@dataclass(frozen=True)
class Validation:
    """A validation split of which architecture steps see other batches than those that candidates are scored on."""

    scored: Split
    architecture: Split

    def __len__(self) -> int:
        return len(self.scored)

    def batch(self, size: int, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        return self.scored.batch(size, epoch, step)


class Objective(Protocol):
    """The loss and the measures of a task."""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean training loss."""

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return sums over the batch, numbers or histograms, without waiting for the device."""

    def metrics(self, sums: Mapping[str, Any], examples: int) -> Metrics:
        """Return the figures of summed measures, given as plain numbers and lists."""


class Dataset(Objective, Protocol):
    """The data of a search, with loss and measures. Nothing is read from disk before the first split is asked for."""

    @property
    def task(self) -> Task:
        """Return what a space must know of the data."""

    def train(self) -> Split:
        """Return the part that search trains on, shuffled and augmented."""

    def val(self) -> Split:
        """Return the part that search validates on, shuffled, not augmented; a `Validation` may say more."""

    def full(self) -> Split:
        """Return train and validation together, shuffled and augmented: what retraining uses.

        Text is in order, and the published validation part of a text is never trained on.
        """

    def held_out(self, share: float) -> tuple[Split, Split]:
        """Return what ``full`` returns less a random ``share`` of it, and that share, not augmented.

        Data whose published validation part nobody trains on hold that part out, whatever the share.
        """

    def fingerprint(self) -> Mapping[str, str]:
        """Return hashes of the data and of the split's indices."""


class TestedDataset(Dataset, Protocol):
    """A data set with its test split, out of a search's reach."""

    def test(self) -> Split:
        """Return the held-out test split, in order. Only `nasctl.retrain` may call this."""


@dataclass(frozen=True)
class Trained:
    """Which weights a training left in the network.

    ``name`` is ``last`` or ``best`` (chosen on a held-out part), ``epoch`` the one, counted from 0, after which
    they were taken, ``averaged`` whether they are an average over steps; ``others`` holds those of the other name.
    ``held_out`` holds their metrics on the part to choose by, ``rolled_back`` the epochs that ended in no number and
    were undone.
    """

    name: str
    epoch: int
    averaged: bool
    others: Mapping[str, State]
    held_out: Metrics = field(default_factory=dict)
    rolled_back: Sequence[int] = ()

    def record(self) -> dict[str, Any]:
        """Return what result.json says of the weights that were tested."""
        told = {"held_out": dict(self.held_out), "rolled_back": list(self.rolled_back)}
        weights = {"name": self.name, "epoch": self.epoch, "averaged": self.averaged}
        return weights | {name: value for name, value in told.items() if value}


@dataclass(frozen=True, kw_only=True)
class TrainingSession:
    """How one call of a trainer runs.

    Learning rate, drop path and warm-up follow ``schedule_epochs`` (None: the trainer's own epochs); training ends at
    ``stop_epoch`` (None: where the schedule ends). A training that stops and goes on from its ``state`` ends with the
    weights of one that never stopped. ``on_step`` is called after each step, ``record`` with one line an epoch, before
    it ``on_epoch`` with the number of the epoch, while the weights that would be kept lie in the network. With a split
    to ``choose_by``, the best weights are those with the lowest error on it (loss where there is no error); without,
    the last are kept.
    """

    seed: int
    on_step: StepCallback
    record: Callable[[Mapping[str, Any]], None]
    on_epoch: Callable[[int], None] = nothing
    schedule_epochs: int | None = None
    stop_epoch: int | None = None
    state: State | None = None
    choose_by: Split | None = None

    def epochs(self, own: int) -> tuple[int, int]:
        """Return the epochs of the schedule, ``own`` where none are given, and the epoch at which training ends."""
        schedule = self.schedule_epochs or own
        stop = schedule if self.stop_epoch is None else self.stop_epoch
        if not 0 < stop <= schedule:
            raise RequestError(f"training: stop_epoch ({stop}) must be in 1 to schedule_epochs ({schedule})")
        return schedule, stop


class Trainer(Protocol):
    """Trains one stand-alone network."""

    held_out: float  # share of the training set to choose weights by, in [0, 1); above 0 where it needs one

    def check(self, model: nn.Module, device: torch.device) -> None:
        """Raise `RequestError` if the recipe asks for what ``model`` or ``device`` lacks."""

    def fit(self, model: nn.Module, dataset: Dataset, split: Split, session: TrainingSession) -> Trained:
        """Train ``model`` in place on ``split``, as ``session`` says."""

    def evaluate(self, model: nn.Module, dataset: Dataset, split: Split) -> Metrics:
        """Return the metrics of ``model`` on the whole split."""


class Reward(Protocol):
    """Metrics to one number, higher is better."""

    resources: tuple[str, ...]  # costs of the final form that it reads beside the metrics

    def __call__(self, metrics: Metrics) -> float: ...

    def quality(self, metrics: Metrics) -> float:
        """Return the reward without what it says of costs."""


@dataclass(frozen=True)
class ResourceContext:
    """What every resource works with, besides its settings."""

    space: SearchSpace
    task: Task
    device: torch.device


@dataclass(frozen=True)
class NetworkResourceContext(ResourceContext):
    """The context of a resource that builds networks."""

    space: TrainableSpace


class Resource(Protocol):
    """What a network costs: counted, looked up or measured. A limit, a reward and `nasctl compare` take it by name."""

    @property
    def name(self) -> str:
        """Return the name by which settings and records know it."""

    @property
    def unit(self) -> str:
        """Return the unit of its figures, as "ms"."""

    def __call__(self, genotype: Genotype) -> float:
        """Return what the final form of a genotype costs."""

    def facts(self, genotype: Genotype) -> Mapping[str, Any]:
        """Return what result.json says of a network beyond its cost."""


@runtime_checkable
class Measured(Protocol):
    """A resource whose figures are measured once and kept in the run, so that a resumed search meets the same ones."""

    device: torch.device  # on which it measures
    keep: Callable[[Mapping[str, Any]], None]  # takes ``record()``; called before a new figure is used

    def undisturbed(self) -> AbstractContextManager[None]:
        """Return the context in which it measures, with its threads."""

    def record(self) -> Mapping[str, Any]:
        """Return all that was measured, as plain data."""

    def load(self, record: Mapping[str, Any]) -> None:
        """Take over what ``record`` returned."""


@dataclass(frozen=True)
class ConstraintContext:
    """What every constraint works with, besides its settings."""

    space: SearchSpace
    resources: Mapping[str, Resource]  # by name: those that settings of this problem name, and those of records


class Constraint(Protocol):
    """Whether a genotype is within the limit."""

    resources: tuple[str, ...]  # costs of the final form that it limits
    tries: int  # samples to draw before the limit is called impossible

    def __call__(self, genotype: Genotype) -> bool: ...

    def margin(self, genotype: Genotype) -> float | None:
        """Return how much of the limit is left; None without a limit."""

    def refusal(self, refused: Iterable[Genotype]) -> RequestError:
        """Return the error for a limit that none of the sampled genotypes meets."""

    def chain(self) -> Chain | None:
        """Return the limit as sums over neighbouring decisions; None where it is not of that form."""

    def relaxed(self) -> Sequence[Chain] | None:
        """Return the limits as sums over neighbouring relaxed choices; None if one is no such sum."""

    def remark(self) -> str | None:
        """Return what a user should be warned of; None if nothing."""


class Feasible(Protocol):
    """A constraint as strategies see it: on architectures, of which the estimator may cover a part."""

    tries: int
    partial: bool  # whether there are architectures that the estimator does not cover

    def covers(self, arch: Architecture) -> bool: ...

    def __call__(self, arch: Architecture) -> bool: ...

    def refusal(self, refused: Sequence[Architecture]) -> RequestError: ...

    def chain(self) -> Chain | None: ...

    def relaxed(self) -> Sequence[Chain] | None: ...
