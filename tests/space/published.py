"""Genotypes of the DARTS family: the published ones, and one that is easy to read."""

import json
from pathlib import Path

import nasctl

PUBLISHED = Path(nasctl.__file__).parent / "space" / "genotypes" / "darts"

STRAIGHT = {
    "normal": [["sep_conv_3x3", 0], ["skip_connect", 1]] * 4,
    "normal_concat": [2, 3, 4, 5],
    "reduce": [["max_pool_3x3", 0], ["skip_connect", 1]] * 4,
    "reduce_concat": [2, 3, 4, 5],
}


def published(name):
    return json.loads((PUBLISHED / f"{name}.json").read_text())["genotype"]
