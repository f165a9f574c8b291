"""How zero-cost scores rank architectures: Kendall's tau against a table's accuracies, overall and at the top.

    python -m benchmarks.zero_cost nb201_table.csv.gz RUN...

Each RUN is a search with ``estimator=zero_cost`` in ``space=nasbench201``: its trials hold the scores of random
architectures. Printed are our scores and, on the same architectures and on the whole table, the table's own columns
of scores and its FLOPs, the trivial predictor. The top is the tenth of the architectures with the best accuracy.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pandas
import yaml

from nasctl.config.build import make
from nasctl.core import Task
from nasctl.files import read_lines
from nasctl.report._statistics import rank

ACCURACY, COLUMNS = "cifar10_test_acc_200", ("cifar10_flops", "cifar10_params", "cifar10_naswot", "cifar10_synflow")
TOP, RESAMPLES = 0.1, 1000
FEWEST = 10  # architectures; of fewer, the bootstrap interval holds the truth too rarely


def main() -> None:
    """Print a line per score."""
    table = pandas.read_csv(sys.argv[1], index_col="arch")
    print(f"{'score':<18}{'architectures':>14}{'tau':>8}{'95 %':>16}{'tau, top 10 %':>15}{'95 %':>16}")
    for column in COLUMNS:
        show(f"table {column.removeprefix('cifar10_')}", table[column], table[ACCURACY])
    for run in map(Path, sys.argv[2:]):
        scores = ours(run)
        show(score_name(run), scores, table[ACCURACY].loc[scores.index])
        for column in COLUMNS:
            there = table.loc[scores.index]
            show(f"  same, {column.removeprefix('cifar10_')}", there[column], there[ACCURACY])


def score_name(run: Path) -> str:
    return f"our {settings(run)['estimator']['score']}"


def settings(run: Path) -> dict:
    return yaml.safe_load((run / "config.yaml").read_text())


def ours(run: Path) -> pandas.Series:
    """Return the score of each architecture that a run evaluated, by the table's notation."""
    space = make(settings(run)["space"], Task("image_classification", (3, 32, 32), 10))
    lines = [line for line in read_lines(run / "trials.jsonl") if line["error"] is None]
    names = [space.format.notation(space.genotype(tuple(line["arch"]))) for line in lines]
    return pandas.Series({name: line["metrics"]["score"] for name, line in zip(names, lines, strict=True)})


def show(name: str, score: pandas.Series, accuracy: pandas.Series) -> None:
    best = accuracy.rank(ascending=False, method="first") <= TOP * len(accuracy)
    overall, top = (figure(score[part], accuracy[part]) for part in (accuracy.index == accuracy.index, best))
    print(f"{name:<18}{len(score):>14}{overall}{top}", flush=True)


def figure(score: pandas.Series, accuracy: pandas.Series) -> str:
    """Return tau with its 95 % bootstrap interval over architectures."""
    a, b = score.to_numpy(float), accuracy.to_numpy(float)
    draws = rank.draws(len(a), RESAMPLES if len(a) < 2000 else 1, seed=0)
    tau, low, high = rank.interval(rank.kendall(a, b, draws)) or (math.nan,) * 3
    interval = f"[{low:.2f}, {high:.2f}]" if FEWEST <= len(a) < 2000 else ""
    return f"{tau:>8.2f}{interval:>16}"


if __name__ == "__main__":
    main()
