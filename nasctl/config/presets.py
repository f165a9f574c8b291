"""The files by which a preset such as ``+debug=smoke`` makes each choice of a configuration small.

Beside ``conf/debug/smoke.yaml`` lie ``_smoke/GROUP/CHOICE.yaml`` for single choices, and ``_smoke/together/A_B.yaml``
for two that are chosen together. A choice without a file stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from pathlib import Path

GROUP = "debug"
PAIRS = "together"


def files(choices: Mapping[str, str | None], folders: Sequence[Path]) -> list[Path]:
    """Return the files of the chosen preset that belong to ``choices``, those of pairs last."""
    named = list(_names({group: name for group, name in choices.items() if name}))
    paths = [folder / GROUP / f"_{choices.get(GROUP)}" / name for name in named for folder in folders]
    return [path for path in paths if path.is_file()]


def _names(choices: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{group}/{name}.yaml" for group, name in choices.items())
    yield from (f"{PAIRS}/{one}_{other}.yaml" for one, other in permutations(choices.values(), 2))
