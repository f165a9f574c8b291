"""Repeated searches: that each is the search its seed alone would make, what they tell together, exact resume."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest

from nasctl.cli import main as cli
from nasctl.errors import RequestError
from nasctl.search.replicas import Incumbent, best_quality, distribution, spread
from nasctl.walk import every as walk
from tests.lines import read_lines
from tests.small import same, through_a_file
from tests.tables import SEEDS, nasbench201, write_benchmark, write_table

SEARCH = [
    *["search", "space=nasbench201", "dataset=cifar10", "estimator=nasbench201_table", "threads=1"],
    *["strategy=regularized_evolution", "strategy.population_size=4", "strategy.parent_selection.sample_size=2"],
    *["budget.trials=12", "curve=[1,5,10,50]"],
]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a whole table of NAS-Bench-201's space, its accuracies made up."""
    folder = tmp_path_factory.mktemp("table")
    write_benchmark(folder / "nb201_table.csv.gz", nasbench201())
    return folder


@pytest.fixture(scope="module")
def repeated(table: Path) -> Path:
    """Return the run of five replicas from seed 3 on."""
    assert cli.run([*SEARCH, f"paths.data={table}", "seed=3", "repeats=5", f"run_dir={table / 'run'}"]) == 0
    return table / "run"


def result(run: Path) -> dict:
    return json.loads((run / "result.json").read_text())


def test_each_replica_is_the_search_of_its_seed(repeated: Path, table: Path) -> None:
    lines = read_lines(repeated / "replicas.jsonl")
    assert [(line["replica"], line["seed"]) for line in lines] == [(r, 3 + r) for r in range(5)]
    for line in (lines[0], lines[4]):
        alone = table / f"alone{line['seed']}"
        assert cli.run([*SEARCH, f"paths.data={table}", f"seed={line['seed']}", f"run_dir={alone}"]) == 0
        found, trials = result(alone), read_lines(alone / "trials.jsonl")
        assert found["metrics"] == line["metrics"] and found["table"] == line["table"]
        assert json.loads((alone / "architecture.json").read_text())["arch"] == line["arch"]
        assert (found["params"], found["macs"]) == (line["params"], line["macs"])
        for point in line["curve"]:
            best = max(trials[: point["trials"]], key=lambda trial: trial["reward"])
            assert point["metrics"] == best["metrics"]
        assert [point["trials"] for point in line["curve"]] == [1, 5, 10]
    assert not (repeated / "trials.jsonl").exists()


def test_the_result_tells_the_distribution(repeated: Path) -> None:
    found, lines = result(repeated), read_lines(repeated / "replicas.jsonl")
    reported = [line["metrics"]["reported_error"] for line in lines]
    assert len(set(reported)) == 5
    assert found["error"] == pytest.approx(statistics.fmean(reported))
    assert found["error_kind"] == "table (test)" and (found["trials"], found["repeats"]) == (60, 5)
    told = found["replicas"]["metrics"]["reported_error"]
    assert told["std"] == pytest.approx(statistics.stdev(reported))
    assert told["median"] == statistics.median(reported)
    at_five = found["replicas"]["curve"][1]
    seen = [line["curve"][1]["metrics"]["error"] for line in lines]
    assert (at_five["trials"], at_five["replicas"]) == (5, 5)
    assert at_five["metrics"]["error"]["mean"] == pytest.approx(statistics.fmean(seen))


def test_the_architecture_is_that_of_the_replica_with_the_best_quality(repeated: Path) -> None:
    lines = read_lines(repeated / "replicas.jsonl")
    best = max(lines, key=lambda line: line["reward"])
    assert json.loads((repeated / "architecture.json").read_text())["arch"] == best["arch"]
    assert result(repeated)["params"] == best["params"]


def test_nothing_is_read_but_the_table(repeated: Path) -> None:
    assert list(json.loads((repeated / "environment.json").read_text())["data"]) == ["table"]


def test_replicas_killed_between_any_two_trials_resume_exactly(repeated: Path, table: Path) -> None:
    """A run that is stopped after every trial of the second and the third replica, and resumed each time."""
    from nasctl.runs import Run

    stopped, moments = table / "stopped", range(3)
    command = [*SEARCH, f"paths.data={table}", "seed=3", "repeats=5", f"run_dir={stopped}"]
    plain_tick = Run.tick

    class KilledError(Exception):
        """What a kill looks like to the process: nothing after it is written."""

    for moment in moments:
        ticks = 0

        def tick(self, state, values, moment=moment):
            nonlocal ticks
            ticks += 1
            if ticks == 4:
                self.save(state())
            if ticks == 7:
                raise KilledError
            plain_tick(self, state, values)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Run, "tick", tick)
            assert cli.run(command) == 1, moment
    assert cli.run([*command, "resume=must"]) == 0
    for name in ("replicas.jsonl", "architecture.json"):
        assert (stopped / name).read_bytes() == (repeated / name).read_bytes()
    assert result(stopped)["replicas"] == result(repeated)["replicas"]


def test_a_changed_table_is_refused_on_resume(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from nasctl.runs import Run

    write_benchmark(tmp_path / "nb201_table.csv.gz", nasbench201())
    command = [*SEARCH, f"paths.data={tmp_path}", f"run_dir={tmp_path / 'run'}", "repeats=2"]

    def stop(self, state, values):
        self.save(state())
        raise RequestError("stop here")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "tick", stop)
        assert cli.run(command) == 2
    space = nasbench201()
    rows = [[space.format.notation(space.genotype(arch)), 50, 50, 50] for arch in walk(space)]
    write_table(tmp_path / "nb201_table.csv.gz", rows, ["arch", *SEEDS])
    assert cli.run(command) == 2
    assert "the data differ from those the run began with" in capsys.readouterr().err


def test_a_search_that_trains_is_not_repeated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    training = ["search", "space=darts", "strategy=random_search", "estimator=from_scratch", "dataset=digits"]
    assert cli.run([*training, "budget.trials=1", "repeats=4", f"run_dir={tmp_path / 'run'}"]) == 2
    assert capsys.readouterr().err == (
        "nasctl: repeats=4 repeats look-ups, but estimator=from_scratch looks nothing up; "
        "choose estimator=table, or sweep the seed: nasctl search -m ... seed=0,1,2\n"
    )
    assert not (tmp_path / "run").exists()


def line(reward, error=None, **metrics):
    return {"reward": reward, "error": error, "metrics": metrics}


def test_the_incumbent_is_the_first_of_the_best_and_no_failed_trial():
    incumbent = Incumbent([1, 3, 4])
    told = [line(None, error="broke"), line(0.5, x=1.0), line(0.5, x=2.0), line(0.7, x=3.0)]
    for each in told:
        incumbent.append("trials.jsonl", each)
    assert incumbent.curve == [{"trials": 3, "metrics": {"x": 1.0}}, {"trials": 4, "metrics": {"x": 3.0}}]


def test_an_incumbent_resumed_goes_on_as_it_would():
    whole, first, second = (Incumbent([1, 2, 4]) for _ in range(3))
    told = [line(0.1, x=0.0), line(0.3, x=1.0), line(0.2, x=2.0), line(0.9, x=3.0)]
    for each in told:
        whole.append("trials.jsonl", each)
    for each in told[:2]:
        first.append("trials.jsonl", each)
    second.load_state_dict(through_a_file(first.state_dict()))
    for each in told[2:]:
        second.append("trials.jsonl", each)
    assert same(second.state_dict(), whole.state_dict())


def test_the_spread_of_a_known_sample():
    told = spread([float(value) for value in range(101)])
    assert told == pytest.approx(
        {"mean": 50, "std": statistics.stdev(range(101)), "median": 50, "q05": 5, "q25": 25, "q75": 75, "q95": 95}
    )
    assert spread([3.0])["std"] == 0.0 and spread([3.0])["q95"] == 3.0


def replica(error, best_found, *points):
    curve = [{"trials": trials, "metrics": {"error": value}} for trials, value in points]
    return {"metrics": {"error": error}, "best_found": best_found, "curve": curve}


def test_a_distribution_counts_the_best_and_the_replicas_that_came_so_far():
    told = distribution([replica(1.0, True, (1, 9.0), (5, 1.0)), replica(3.0, False, (5, 3.0))])
    assert told["best_found"] == 1 and told["metrics"]["error"]["mean"] == 2.0
    assert [(p["trials"], p["replicas"], p["metrics"]["error"]["mean"]) for p in told["curve"]] == [
        (1, 1, 9.0),
        (5, 2, 2.0),
    ]
    assert distribution([replica(1.0, None)])["best_found"] is None


class Scored:
    """An estimator that scores an architecture of NAS-Bench-201's space by the sum of its options."""

    def look_up(self, arch):
        return {"sum": sum(arch)}


def test_the_best_quality_is_that_of_the_feasible_ones(monkeypatch):
    estimator, space = Scored(), nasbench201()
    assert best_quality(space, lambda arch: True, estimator, lambda metrics: -metrics["sum"]) == 0
    assert best_quality(space, lambda arch: arch[0] == 2, estimator, lambda metrics: metrics["sum"]) == 22
    assert best_quality(space, lambda arch: False, estimator, lambda metrics: metrics["sum"]) is None
    monkeypatch.setattr(type(space), "size", 10**6)
    assert best_quality(space, lambda arch: True, estimator, lambda metrics: metrics["sum"]) is None


def test_a_walk_yields_every_architecture_once():
    found = list(walk(nasbench201()))
    assert len(found) == len(set(found)) == 15625 and {len(arch) for arch in found} == {6}
