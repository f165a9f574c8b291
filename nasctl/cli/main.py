"""The command line: takes the verb, calls its function, turns errors into sentences and exit codes.

Exit codes: 0, 1 (a sweep's job failed, or an error of the program), 2 (something the user can mend), 128 + n (stopped
by signal n).
Imports neither torch, Hydra nor pandas, so that ``--help``, ``ls`` and ``compare`` start fast.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nasctl import __version__
from nasctl.command_line import flags
from nasctl.command_line.quoting import in_quotes, quoted_text
from nasctl.errors import Interrupted, RequestError, RunError, SweepError, unknown
from nasctl.system_errors import in_words
from nasctl.terminal_text import shown as plain

HELP = """\
nasctl - neural architecture search that a person can run

  nasctl search  +experiment=darts_digits                     search; give the command again to resume it
  nasctl search  space=darts strategy=darts dataset=digits budget.epochs=10   any cell of the grid
  nasctl search  +experiment=darts_cifar10 seed=1             a paper's settings, one word
  nasctl search  -m +experiment=darts_digits seed=0,1,2,3     a sweep
  nasctl select  RUN RUN...                                   short training of what searches found, best one kept
  nasctl correlate RUN RUN... n=50 [against=TABLE]            does the ranking by shared weights hold once trained
  nasctl retrain from=RUN|FILE|NAME|GENOTYPE                  train an architecture from scratch, test it once
  nasctl inspect space=darts from=DARTS_V2 dataset=cifar10    what it is and costs, without training
  nasctl compare RUN...                                       the table, beside the published ones; --help: other views
  nasctl ls [GROUP]                                           what can be chosen
  nasctl ls runs [DIR...]                                     past runs

  nasctl VERB --help      settings of the first six                 --cfg job    the composed settings
  nasctl --version
"""

PATHS = ("from", "budget.like", "run_dir", "paths.data", "paths.outputs", "label")
FILES = ("file", "folder", "root", "cache")  # last parts of names of settings that are paths too


def main() -> None:
    """Run the command line and exit with its code."""
    from nasctl.cli.start import main

    main()


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    shown = any(argument == "traceback=true" for argument in arguments)
    logging.raiseExceptions = False  # a log on a full disk ends nothing, and is no traceback
    try:
        _dispatch(arguments)
    except KeyboardInterrupt as stop:
        number = stop.signal if isinstance(stop, Interrupted) else 2
        print(f"nasctl: {stop or 'interrupted'}; give the same command again to resume", file=sys.stderr)
        return 128 + number
    except SystemExit as stop:  # of Hydra, after --help and the like
        return int(stop.code or 0)
    except Exception as error:
        return _told(error, shown)
    return 0


def _told(error: Exception, with_traceback: bool) -> int:
    """Print an error as a sentence, one of the program with its traceback; return the exit code."""
    error_in_words = in_words(error)
    if isinstance(error_in_words, RequestError | RunError):
        return _say(error_in_words, with_traceback, 2)
    if isinstance(error, SweepError):
        return _say(error, with_traceback, 1)
    print(f"nasctl: {type(error).__name__}: {error}", file=sys.stderr)
    traceback.print_exception(error)
    return 1


def _say(error: Exception, with_traceback: bool, code: int) -> int:
    if with_traceback:
        traceback.print_exception(error)
    print("nasctl: " + "\n".join(plain(str(sentence)) for sentence in error.args), file=sys.stderr)
    return code


def _dispatch(arguments: list[str]) -> None:
    verb, *rest = arguments or ["--help"]
    if verb in ("--help", "-h", "help") or (verb == "ls" and {"--help", "-h"} & set(rest)):
        print(HELP, end="")
    elif verb == "--version":
        print(f"nasctl {__version__}")
    elif verb not in VERBS:
        raise unknown("verb", verb, VERBS)
    else:
        VERBS[verb](rest)


def _job(verb: str) -> Callable[[list[str]], None]:
    def start(arguments: list[str]) -> None:
        from nasctl.config.compose import launch

        def job(config: dict[str, Any]) -> None:
            import importlib

            getattr(importlib.import_module(f"nasctl.cli.{verb}"), verb)(config)

        line = flags.read(arguments)
        launch(verb, job, line, [quoted(setting, line.sweep) for setting in line.settings])

    return start


def quoted(argument: str, sweep: bool) -> str:
    """Quote a path, or a genotype as text, that Hydra's grammar would stumble over.

    In a sweep a comma separates them where no bracket encloses it, elsewhere it does not.
    """
    key, _, value = argument.partition("=")
    name = key.lstrip("+")
    if name not in PATHS and name.rpartition(".")[2] not in FILES:
        return argument
    return f"{key}={quoted_text(value, sweep)}"


def _over_runs(verb: str, short: Mapping[str, str]) -> Callable[[list[str]], None]:
    """Return what starts a verb: bare words are runs, as in ``from=[RUN,RUN]``, and ``short`` are names of settings."""

    def start(arguments: list[str]) -> None:
        line = flags.read(arguments)
        words = [a for a in line.settings if "=" not in a or Path(a).exists()]
        others = [_in_full(a, short) for a in line.settings if a not in words]
        listed = [f"from=[{','.join(map(in_quotes, words))}]"] if words else []
        _job(verb)([*line.words(), "--", *listed, *others])

    return start


def _in_full(argument: str, short: Mapping[str, str]) -> str:
    key, equals, value = argument.partition("=")
    return f"{short.get(key, key)}{equals}{value}"


def _compare(arguments: list[str]) -> None:
    from nasctl.report.command import run

    print(run(arguments), end="")


def _list(arguments: list[str]) -> None:
    words = [word for word in arguments if not word.startswith("traceback=")]
    if words[:1] == ["runs"]:
        from nasctl.report.listing import list_runs

        print(list_runs([Path(word) for word in words[1:] or ["outputs"]]), end="")
        return
    if len(words) > 1:
        raise RequestError(f"ls: {words[1]!r} is a word too many; give one group, or runs and directories")
    from nasctl.report.choices import list_group

    package = Path(__file__).resolve().parents[1]
    conf = package / "conf" if (package / "conf").is_dir() else package.parent / "conf"
    print(list_group(words[0] if words else None, conf), end="")


VERBS: dict[str, Callable[[list[str]], None]] = {
    "search": _job("search"),
    "select": _over_runs("select", {}),
    "correlate": _over_runs("correlate", {"n": "correlation.n", "against": "estimator@against"}),
    "retrain": _job("retrain"),
    "inspect": _job("inspect"),
    "compare": _compare,
    "ls": _list,
}
