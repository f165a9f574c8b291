"""The verb select: train what several searches found for a short time, and keep the best by validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from nasctl.cli.job import conduct, go_through
from nasctl.cli.outcome import Found, show
from nasctl.config.collaborators import trainable
from nasctl.config.configuration import Configuration
from nasctl.config.problem import build_problem
from nasctl.config.settings import Config
from nasctl.genotype_source import check_space, searched
from nasctl.runs import Run, environment
from nasctl.search.data import SearchData
from nasctl.search.selection import Selection, check_devices, label_of, listed, total, total_known

GROUPS = ("space", "dataset", "trainer", "reward", "constraint")


def select(config: Config) -> None:
    """Train what each search in ``from`` found for a short time, and keep the best; or resume, or show that."""
    conduct(SelectJob(Configuration(config)))


class SelectJob:
    """The selection among what searches found."""

    verb = "select"

    def __init__(self, given: Configuration) -> None:
        texts = listed(given.sources)
        check_space(given.choices["space"], texts)
        given.check(*GROUPS, "resource")
        problem = build_problem(given, environment.choose_device(given.settings.device))
        self.sources = [searched(text, problem.space) for text in texts]
        check_devices(self.sources, problem.device)
        self.problem = replace(problem, configuration=given.replaced(label=label_of(self.sources)))
        self.name = given.name("space", "strategy", "dataset")
        origins = [[source.facts["signature"], source.facts["seed"], source.genotype] for source in self.sources]
        self.signed = given.nodes(*GROUPS, "selection") | {"origins": origins}

    def data(self) -> Mapping[str, str]:
        """Return the hashes of the data set."""
        return self.problem.dataset.fingerprint()

    def prepare(self, run: Run) -> Callable[[], None]:
        """Build the trainer and the reward of the selection."""
        problem, settings = self.problem, self.problem.settings
        trained_by = [problem.configuration.with_training(source.training) for source in self.sources]
        selection = Selection(
            trainable(problem.space),
            [source.genotype for source in self.sources],
            [configuration.make("trainer") for configuration in trained_by],
            SearchData(problem.dataset),
            problem.configuration.make("reward"),
            problem.device,
            settings.seed,
            settings.selection.epochs,
            run.append,
        )
        return lambda: self._select(run, selection)

    def _select(self, run: Run, selection: Selection) -> None:
        go_through(run, selection)
        best, sources = self.sources[selection.best()], self.sources
        facts = {"error_kind": "short training", "trials": len(sources), "selected": best.record()}
        Found(
            best.genotype,
            best.arch,
            selection.metrics(),
            cost=total(sources, "cost") | {"selection": run.cost()},
            work=total(sources, "work") | {"selection": selection.work},
            cpu_seconds=total_known(sources, "cpu_seconds") | {"selection": run.cpu_cost()},
            facts=facts | selection.ties(),
            training=best.training,
        ).write(run, self.problem)

    def show(self, run: Run) -> None:
        show(run)
