"""Every ``nasctl ...`` command that the project prints or documents, with a run in place of each placeholder."""

from __future__ import annotations

import re
import shlex
import subprocess
import textwrap
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
    "--config-dir DIR constraint": f"--config-dir {ROOT}/examples/extend/resource constraint",
    "constraint.resource=NAME": "constraint.resource=storage",
    "DIR": "outputs",
    "$D ": "dataset=cifar10 ",
}
WORD = re.compile(r"RUN|RUN\.\.\.|runs|-.*|[+]?[\w./@]+=.*|outputs\S*|strategy|job|sweep|nowhere|/\S+|\.\.\.|\.")


NAMED = re.compile(r"run_dir=(\S+)")
SHELL = "nasctl() { printf '%s\\0' nasctl \"$@\" ''; }; exit() { :; }; seq() { echo auc0; }"


def commands() -> list[str]:
    """Return the commands, each once."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "Makefile"]
    files += [*sorted((ROOT / "conf").rglob("*.yaml")), *sorted((ROOT / "benchmarks").glob("*.py"))]
    files += sorted((ROOT / "nasctl").rglob("*.py"))
    texts = [HELP, *(path.read_text(encoding="utf-8") for path in files)]
    found = dict.fromkeys(command for text in texts for command in _of(text))
    for path in sorted((ROOT / "docs").glob("*.md")):
        found |= {command: None for command in _of_loops(with_variables(path))}
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


def with_variables(path: Path) -> Iterator[str]:
    """Yield the commands of a page in which a shell puts something in, as that shell would call them."""
    runs: set[str] = set()
    for block in re.findall(r"(?:^    .*\n)+", path.read_text(encoding="utf-8"), re.M):
        if "nasctl" in block and re.search(r"nasctl.*\$|\\\n.*\$", block):
            for verb, *words in _called(re.sub(r"<[^<>\n]*run[^<>\n]*>", "RUN", block)):
                runs |= {found[1] for word in words if (found := NAMED.fullmatch(word))}
                yield shlex.join([verb, *(_with_runs(word, runs) for word in words)])


def _of_loops(commands: Iterator[str]) -> Iterator[str]:
    """Yield one of those commands that differ in their seed and in the names of runs alone."""
    kinds = {re.sub(r"\b(from|seed|run_dir|budget\.like)=\S+", r"\1", command): command for command in commands}
    yield from kinds.values()


def _called(block: str) -> list[list[str]]:
    """Return the verb and arguments of each call of nasctl in a block, run by a shell in which all else is unknown."""
    shell = subprocess.run(
        ["bash", "--restricted", "-c", f"{SHELL}\n{textwrap.dedent(block)}"],
        capture_output=True, text=True, env={"PATH": ""}, executable="/bin/bash", check=False,
    )  # fmt: skip
    calls = shell.stdout.split("\0nasctl\0") if shell.stdout else []
    return [call.removeprefix("nasctl\0").rstrip("\0").split("\0") for call in calls]


def _with_runs(word: str, runs: set[str]) -> str:
    """Return a word with a run in place of those that other commands of the page make."""
    key, equals, value = word.partition("=")
    if word in runs or (key in ("from", "budget.like") and value.strip("[]").split(",")[0] in {*runs, "FOUND"}):
        return f"{key}=RUN" if equals else "RUN"
    word = re.sub(r"outputs/\S*/RUN", "RUN", word)
    return word.replace(",...", "")
