"""Every ``nasctl ...`` command that the project prints or documents, with a run in place of each placeholder."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from nasctl.cli.main import HELP, VERBS

ROOT = Path(__file__).resolve().parents[1]
PLACEHOLDERS = {
    "<reference>": "3000",
    "TABLE": "nasbench201_table",
    "RUN|FILE|NAME": "RUN",
    "SWEEPS": "RUN",
    "[GROUP]": "strategy",
    "[strategy|space|...|runs]": "strategy",
    "[DIR...]": "outputs",
    "NUMBER": "1000",
    "DIR": "outputs",
    "$D ": "dataset=cifar10 ",
}
WORD = re.compile(r"RUN|RUN\.\.\.|runs|-.*|[+]?[\w./@]+=.*|outputs\S*|strategy|job|sweep|nowhere|\.\.\.|\.")


def commands() -> list[str]:
    """Return the commands, each once."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "Makefile"]
    files += [*sorted((ROOT / "conf").rglob("*.yaml")), *sorted((ROOT / "benchmarks").glob("*.py"))]
    files += sorted((ROOT / "nasctl").rglob("*.py"))
    texts = [HELP, *(path.read_text(encoding="utf-8") for path in files)]
    found = dict.fromkeys(command for text in texts for command in _of(text))
    return [command for command in found if len(shlex.split(command)) > 1]


def _of(text: str) -> Iterator[str]:
    for placeholder, instead in PLACEHOLDERS.items():
        text = text.replace(placeholder, instead)
    joined = re.sub(r"\\\n\s*", " ", text)  # a command over two lines
    for found in re.finditer(rf"nasctl +({'|'.join(VERBS)})\b([^\n`;|\\]*)", joined):
        arguments = re.split(r"\)?\"\)?$|\s#\s|\s/\s|   ", found[2])[0]
        if "$" not in arguments and "{RANDOM}" not in arguments:  # what a shell or the program puts in
            yield shlex.join([found[1], *_words(arguments)])


def _words(text: str) -> Iterator[str]:
    """Yield the arguments at the start of ``text``; what follows is prose."""
    try:
        words = shlex.split(text)
    except ValueError:  # an apostrophe of the prose
        words = text.split()
    for word in words:
        word = re.sub(r"outputs/[^\s,=]*(<run>|\*)|<run>", "RUN", word.strip("[]") if "against" in word else word)
        if not WORD.fullmatch(word) or "<" in word:
            return
        if "..." not in word or word.startswith("RUN"):
            yield word.replace("RUN...", "RUN").rstrip('"')
