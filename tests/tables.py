"""Small benchmark tables in CSV, and the small problem that looks them up."""

import csv
import gzip
import io
import random
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import yaml

from nasctl.config.build import make
from nasctl.config.settings import conf_dir
from nasctl.core import Task
from nasctl.walk import every as walk

SEEDS = tuple(f"cifar10_test_acc_seed{i}" for i in range(3))


def write_table(path, rows, columns):
    """Write ``rows``, lists of values of the ``columns``; a None is left blank."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def nasbench201(channels=2, cells=1):
    """Return NAS-Bench-201's space for CIFAR-10, its networks shrunk."""
    node = yaml.safe_load((conf_dir() / "space" / "nasbench201.yaml").read_text())
    for form in ("search", "final"):
        node[form] |= {"channels": channels, "cells": cells}
    return make(node, Task("image_classification", (3, 32, 32), 10))


def accuracies(space, count=3):
    """Return ``count`` accuracies in percent for each architecture of ``space``, by its notation."""
    draw = random.Random(0)
    names = (space.format.notation(space.genotype(arch)) for arch in walk(space))
    return {name: [round(draw.uniform(10, 95), 2) for _ in range(count)] for name in names}


def write_benchmark(path, space, missing=0.0):
    """Write a table with three training seeds under the names of NAS-Bench-201's; a share of it is left blank."""
    draw = random.Random(1)
    blank = [None] * len(SEEDS)
    rows = [[name, *(blank if draw.random() < missing else values)] for name, values in accuracies(space).items()]
    return write_table(path, rows, ["arch", *SEEDS])


@lru_cache
def folder_of_small_tables(space_overrides):
    """Return a folder with ``nb201_table.csv.gz``, made once for the space that ``space_overrides`` describe."""
    from tests.small import Problem

    folder = Path(mkdtemp(prefix="nasctl-table-"))
    write_benchmark(folder / "nb201_table.csv.gz", Problem(*space_overrides).space)
    return folder
