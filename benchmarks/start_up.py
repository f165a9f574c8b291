"""How long the quick verbs take from the shell, against importing torch alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

from benchmarks.pairs import alternate

COMMANDS = (["--help"], ["ls"], ["compare", "nowhere"], ["search", "+experiment=darts_cifar10", "--cfg", "job"])


def process(*arguments: str) -> Callable[[], object]:
    """Return a function that runs Python with ``arguments`` to its end."""
    return lambda: subprocess.run([sys.executable, *arguments], capture_output=True, check=False)


def rows() -> Iterator[tuple[str, float, float, float]]:
    """Yield name, median seconds of the verb and of ``import torch``, and their ratio."""
    for command in COMMANDS:
        ours, plain = process("-m", "nasctl", *command), process("-c", "import torch")
        yield (f"nasctl {' '.join(command)} / import torch", *alternate(ours, plain, pairs=5))
