"""Problems of a second's size, built from the YAML files of conf/, and a data set that notes what is read."""

import io
from copy import deepcopy
from functools import lru_cache
from pathlib import Path

import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from nasctl import walk
from nasctl.config import named_resources
from nasctl.config.build import make
from nasctl.config.resources import build
from nasctl.config.settings import conf_dir
from nasctl.core import (
    Candidate,
    ConstraintContext,
    EstimatorContext,
    ExecutorContext,
    ResourceContext,
    TrainingSession,
    WeightSharing,
)
from nasctl.executor.serial import Serial
from nasctl.search.feasible import Feasible
from nasctl.search.pending import Pending
from tests.tables import SEEDS, folder_of_small_tables

CPU = torch.device("cpu")

SMALL = (
    "dataset=digits",
    "dataset.limit_train=144",  # 72 to train and 72 to validate on: two batches of 32 and one of 8
    "dataset.limit_test=50",
    "space=darts",
    "space.nodes=1",
    "space.search.channels=4",
    "space.search.layers=3",
    "space.final.channels=4",
    "space.final.layers=3",
    "strategy=random_search",
    "trainer.batch_size=32",
    "trainer.eval_batch_size=32",
    "trainer.epochs=2",
)

SMALL_ESTIMATORS = {
    "from_scratch": ("estimator=from_scratch", "estimator.epochs=1"),
    "supernet": ("estimator=supernet", "estimator.batch_size=32", "estimator/unroll=first_order"),
    "table": (
        "estimator=table",
        "estimator.file=nb201_table.csv.gz",
        "estimator.split=test",
        f"estimator.accuracy=[{','.join(SEEDS)}]",
    ),
    "zero_cost": ("estimator=zero_cost", "estimator.batch_size=8"),
}
"""What makes an estimator small, by the name of its YAML; one that is not listed is taken as it is."""

SMALL_PROBLEMS = {
    "stacked": (
        "dataset=breast_cancer",
        "space=ffn",
        "space.widths=[4,2,6]",
        "strategy=random_search",
        "trainer=ffn",
        "trainer.batch_size=64",
        "trainer.epochs=2",
        "estimator=stacked",
        "estimator.networks=5",
    ),
    "supernet_language": (
        "dataset=python_docs",
        "dataset.min_count=40",
        "dataset.bptt=5",
        "dataset.limit_train=87",  # four columns of 20 targets, in steps of 5; three tokens are left over
        "dataset.limit_val=100",
        "space=rnn_darts",
        "space.nodes=3",
        "space.search.units=4",
        "strategy=random_search",
        "trainer=language_model",
        "estimator=supernet_language",
        "estimator.batch_size=4",
        "estimator/unroll=first_order",
    ),
    "language": (
        "dataset=python_docs",
        "dataset.min_count=40",  # a vocabulary of some hundred words
        "dataset.bptt=6",
        "dataset.lengths.final={half: 0.3, std: 2.0, shortest: 2, longest: 12}",
        "dataset.limit_train=150",
        "dataset.limit_val=80",
        "dataset.limit_test=40",
        "space=lstm",
        "space.deepest=2",
        *(f"space.{form}.{part}" for form in ("search", "final") for part in ("embedding=6", "units=8")),
        "strategy=random_search",
        "reward=perplexity",
        "trainer=language_model",
        "trainer.batch_size=4",
        "trainer.eval_batch_size=2",
        "trainer.epochs=2",
        "trainer.lr=5",
        "estimator=from_scratch",
        "estimator.epochs=1",
    ),
}
"""The whole problem of an estimator that wants table rows, by the name of its YAML, and that of text."""


@lru_cache
def _composed(overrides):
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return OmegaConf.to_container(compose("config", list(overrides)), resolve=True)


class Problem:
    """A small configuration with ``overrides``: its data set behind a `Spy`, its space, and more."""

    def __init__(self, *overrides, estimator="supernet"):
        chosen = (*SMALL, *SMALL_ESTIMATORS.get(estimator, (f"estimator={estimator}",)))
        self.config = deepcopy(_composed((*SMALL_PROBLEMS.get(estimator, chosen), *overrides)))
        if "root" in self.config["estimator"]:
            self.config["estimator"]["root"] = str(folder_of_small_tables(_of_space(overrides)))
        self.data = Spy(make(self.config["dataset"], Path("nowhere"), CPU, self.config["seed"]))
        self.space = make(self.config["space"], self.data.task)

    def estimator(self, dataset=None, seed=0, pulse=lambda values: None):
        return make(self.config["estimator"], EstimatorContext(self.space, dataset or self.data, CPU, seed, pulse))

    def strategy(self, seed=0):
        feasible = Feasible(self.space, self.constraint(), lambda arch: True)
        return make(self.config["strategy"], self.space, feasible, seed)

    def constraint(self):
        chosen = {"choices": {"resource": "latency"}, **self.config}
        nodes = named_resources.nodes(chosen, (conf_dir(),))
        resources = build(nodes, ResourceContext(self.space, self.data.task, CPU), {})
        return make(self.config["constraint"], ConstraintContext(self.space, resources))

    def reward(self):
        return make(self.config["reward"])

    def trainer(self):
        return make(self.config["trainer"])

    def network(self, seed=0, form="final", **size):
        """Return a freshly initialised network of architecture 3."""
        torch.manual_seed(seed)
        return self.space.build(self.space.genotype(self.arch(3)), form, **size)

    def arch(self, seed):
        """Return a uniform architecture, a pure function of ``seed``."""
        generator = torch.Generator().manual_seed(seed)
        return walk.uniform(self.space, generator)

    def rows(self, seed, dtype=torch.float32):
        """Return random mixtures of all rows, a pure function of ``seed``, as leaves that want a gradient."""
        generator = torch.Generator().manual_seed(seed)
        logits = [torch.randn(len(row.options), generator=generator, dtype=dtype) for row in self.space.relaxed_choices]
        return [row.softmax(0).requires_grad_() for row in logits]


def _of_space(overrides):
    return tuple(override for override in overrides if override.startswith(("space", "dataset=")))


def serial(estimator, limit=1, ordered=True):
    """Return what hands candidates to ``estimator``, one after the other."""
    return Pending(Serial(ExecutorContext(estimator, lambda: estimator)), limit=limit, ordered=ordered)


class Spy:
    """A data set that writes into ``log`` each batch it gives, (split, epoch, step), and each test split."""

    def __init__(self, dataset):
        self.dataset, self.log = dataset, []

    def __getattr__(self, name):
        return getattr(self.dataset, name)

    def train(self):
        return SpySplit(self.dataset.train(), "train", self.log)

    def val(self):
        return SpySplit(self.dataset.val(), "val", self.log)

    def full(self):
        return SpySplit(self.dataset.full(), "full", self.log)

    def test(self):
        self.log.append("test()")
        return SpySplit(self.dataset.test(), "test", self.log)


class SpySplit:
    """A split that writes each batch it gives into ``log``."""

    def __init__(self, split, name, log):
        self.split, self.name, self.log = split, name, log

    def __len__(self):
        return len(self.split)

    def batch(self, size, epoch, step):
        self.log.append((self.name, epoch, step))
        return self.split.batch(size, epoch, step)

    def __getattr__(self, name):
        return getattr(self.split, name)


def through_a_file(state):
    """Return ``state`` as it comes back from a checkpoint."""
    file = io.BytesIO()
    torch.save(state, file)
    return torch.load(io.BytesIO(file.getvalue()), weights_only=True)


def same(a, b):
    """Return whether two states are equal bit for bit."""
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def relaxed(problem, seed):
    return Candidate(problem.arch(seed), problem.rows(seed))


def candidate(problem, estimator, seed):
    return relaxed(problem, seed) if estimator.takes_relaxed and seed % 2 else Candidate(problem.arch(seed))


def fit(estimator, sample):
    """Take the training steps of shared weights that are due; return the values to show between them."""
    shown = []
    if not isinstance(estimator, WeightSharing):
        return shown
    while values := estimator.fit(sample):
        shown.append(values)
    return shown


def rounds(problem, estimator, seeds):
    """Return the metrics of a few rounds of fit and evaluate, as a search makes them."""
    found = []
    for seed in seeds:
        fit(estimator, lambda seed=seed: candidate(problem, estimator, seed + 100))
        found.append(dict(estimator.evaluate(candidate(problem, estimator, seed), seed).metrics))
    return found


def session(seed=0, tick=lambda state, values: None, record=lambda line: None, **settings):
    """Return a training session with what a test leaves open."""
    return TrainingSession(seed=seed, on_step=tick, record=record, **settings)


def train(problem, network=None, *, split=None, epochs=None, **settings):
    """Train on the training half; return the network and the lines of its history."""
    network = problem.network() if network is None else network
    lines = []
    split = problem.data.train() if split is None else split
    course = session(record=lambda line: lines.append(dict(line)), schedule_epochs=epochs, **settings)
    problem.trainer().fit(network, problem.data, split, course)
    return network, lines
