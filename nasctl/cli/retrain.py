"""The verb retrain: train an architecture from scratch, then test it once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace

from nasctl.cli.job import conduct
from nasctl.cli.outcome import NO_CPU, NO_WORK, Found, show
from nasctl.config.builders import make_trainer
from nasctl.config.collaborators import trainable
from nasctl.config.configuration import Configuration
from nasctl.config.problem import Problem, build_problem
from nasctl.config.settings import Config
from nasctl.config.signature import recipe, signature
from nasctl.core import Trainer, TrainingSession
from nasctl.errors import RequestError
from nasctl.genotype_source import Source, check_space, drawn, find
from nasctl.retrain import retrain as train_and_test
from nasctl.runs import Run, environment
from nasctl.runs.reader import RunFiles
from nasctl.search.feasible import Feasible
from nasctl.search.selection import PASS
from nasctl.terminal_text import folder_part, shown

GROUPS = ("space", "dataset", "trainer", "constraint")


def retrain(config: Config) -> None:
    """Train the architecture that ``from`` names from scratch, then test it once; or resume, or show that."""
    conduct(RetrainJob(Configuration(config)))


class RetrainJob:
    """The full training of one architecture."""

    verb = "retrain"

    def __init__(self, configuration: Configuration) -> None:
        check_space(configuration.choices["space"], [required_source(configuration)])
        configuration.check(*GROUPS, "resource")
        problem = build_problem(configuration, environment.choose_device(configuration.settings.device))
        self.source = find_source(problem)
        tell_training(self.source)
        configuration = configuration.with_training(self.source.training)
        self.problem = replace(problem, configuration=configuration)
        self.name = name_of(self.source, configuration)
        origin = [self.source.facts.get("signature"), self.source.facts.get("seed")]  # two searches may find the same
        self.signed = configuration.nodes(*GROUPS) | {"genotype": self.source.genotype, "origin": origin}

    def data(self) -> Mapping[str, str]:
        """Return the hashes of the data set."""
        return self.problem.dataset.fingerprint()

    def prepare(self, run: Run) -> Callable[[], None]:
        """Build the trainer, and check that its recipe fits the network."""
        trainer = make_trainer(self.problem, self.source.genotype)
        return lambda: self._train(run, trainer)

    def _train(self, run: Run, trainer: Trainer) -> None:
        problem, source = self.problem, self.source
        session = TrainingSession(
            seed=problem.settings.seed,
            on_step=run.tick,
            record=lambda line: run.append("history.jsonl", line),
            state=run.state,
        )
        network, trained, metrics = train_and_test(
            trainable(problem.space), source.genotype, trainer, problem.dataset, problem.device, session
        )
        run.save_weights("weights.pt", network.state_dict())
        for name, weights in trained.others.items():
            run.save_weights(f"weights.{name}.pt", weights)
        facts = {"error_kind": "retrained", "weights": trained.record(), "source": source.record(), **recipe(problem)}
        Found(
            source.genotype,
            source.arch,
            metrics,
            cost=source.facts.get("cost", {"search": 0.0, "selection": 0.0}) | {"retrain": run.cost()},
            work=(source.facts.get("work") or NO_WORK) | {"retrain": work_of_training(run, problem, source)},
            cpu_seconds=cpu_before(source) | {"retrain": run.cpu_cost()},
            facts=facts,
            training=source.training,
        ).write(run, problem)

    def show(self, run: Run) -> None:
        show(run)


def tell_training(source: Source) -> None:
    """Print the settings of the trainer that the search has chosen; they replace those of the command line."""
    if source.training:
        chosen = ", ".join(f"trainer.{name}={value}" for name, value in source.training.items())
        print(shown(f"note: {source.name}: the search has chosen {chosen}, with which it is trained"), file=sys.stderr)


def required_source(configuration: Configuration) -> str:
    """Return the ``from`` setting, or raise `RequestError`."""
    if not configuration.sources:
        raise RequestError(
            "from: nothing to start from; add from=RUN_DIRECTORY, from=FILE.json or a name, as from=DARTS_V2"
        )
    return configuration.source


def find_source(problem: Problem) -> Source:
    """Return what ``from`` names; a random architecture bears the signature of the space that it was drawn from."""
    configuration = problem.configuration
    text = required_source(configuration)
    feasible = Feasible(problem.space, problem.constraint)
    source = drawn(text, problem.space, feasible, problem.settings.seed)
    if source is None:
        return find(text, problem.space)
    nodes = configuration.nodes("space", "constraint")
    signed = {**nodes, "space": {**nodes["space"], "search": None, "final": None}}
    known = {
        "signature": signature(signed, problem.device),
        "choices": {group: configuration.choices[group] for group in nodes},
    }
    return replace(source, facts={**source.facts, **known})


def name_of(source: Source, configuration: Configuration) -> str:
    """Return the name of a retrain's folder: the genotype's, or that of the search it came from."""
    choices = source.facts.get("choices") or {}
    named = choices.get("space") and choices.get("strategy")
    first = f"{choices['space']}-{choices['strategy']}" if named else source.title()
    return f"{folder_part(first or configuration.name('space'))}-{configuration.name('dataset')}"


def cpu_before(source: Source) -> dict[str, float | None]:
    """Return the CPU seconds of the search behind a source, by phase; None where its run did not record them."""
    if source.kind != "run":
        return NO_CPU
    return source.facts.get("cpu_seconds") or {**NO_CPU, "search": None, "selection": None}


def work_of_training(run: Run, problem: Problem, source: Source) -> int:
    """Return the multiply-accumulates of a training that wrote a line an epoch."""
    examples = sum(1 for _ in RunFiles(run.path).lines("history.jsonl")) * len(problem.dataset.full())
    return PASS * examples * int(problem.space.cost(source.genotype, "macs"))
