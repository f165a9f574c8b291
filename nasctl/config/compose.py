"""From a command line to a configuration as plain data: the only module that knows Hydra and OmegaConf."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from nasctl.command_line.flags import Line, without_cfg
from nasctl.command_line.quoting import in_quotes, unquoted
from nasctl.config import experiment, inheritance, named_resources, own_files, presets
from nasctl.config.inheritance import Inherited, Override
from nasctl.config.inheritance import key_of as _key
from nasctl.config.overrides import prepared
from nasctl.config.settings import GROUPS, LIKE, NOT_BUILT, OWN, Config, conf_dir
from nasctl.config.sweep import Jobs
from nasctl.errors import RequestError, RunError, SweepError, unknown
from nasctl.runs.translation import answer, answer_choice
from nasctl.system_errors import in_words


def launch(verb: str, job: Callable[[Config], None], line: Line, settings: list[str]) -> None:
    """Compose the configuration that a command line describes and call ``job`` with it, once or in a sweep.

    ``settings`` are those of ``line``, with paths in quotes. Raises what a single job raised; in a sweep every job
    runs, and the first failure is raised at the end.
    """
    folders = [conf_dir(), *map(Path, line.values("--config-dir"))]
    own_files.take(folders[1:])
    arguments = prepared(settings, line.sweep, folders, _parsed)
    preset = any(_key(setting) == presets.GROUP for setting in settings)
    if line.values("--cfg") and (line.sweep or preset):
        return _launch(verb, show_composed, without_cfg(line), arguments)
    _launch(verb, job, line, arguments)


def _launch(verb: str, job: Callable[[Config], None], line: Line, arguments: list[str]) -> None:
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    _leave_unused_parts()
    jobs = Jobs(verb, job)

    def task(cfg: Any) -> None:
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            jobs.run_in_sweep(_name_of_job(), lambda: plain_of(cfg))
        else:
            jobs.run(lambda: plain_of(cfg))

    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors arrive here as they are, instead of printed by Hydra
    place, source = _first_source(arguments)
    folders = _folders(arguments, line)
    inherited = _inherited(source, arguments, folders)
    alike = _alike(arguments, folders) if verb == "search" else Inherited()
    plain_of = partial(_plain, verb, assumed=inherited, alike=alike)
    sys.argv = [
        *(f"nasctl {verb}", *line.words(), *alike.lines),
        *(*arguments[:place], *inherited.lines, *arguments[place:]),
    ]
    complaint: Exception | None = None
    try:
        if not (line.sweep and _sweep(jobs, line, sys.argv[1 + len(line.words()) :], plain_of)):
            hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="config")(task)()
    except Exception as error:
        complaint = error
    jobs.run_postponed()
    if jobs.failed or isinstance(complaint, RequestError | RunError):  # by a job here, or in a launcher's process
        first = in_words(jobs.failed[0]) if jobs.failed else complaint
        reason = "; ".join(str(first).splitlines())  # of several misfits, each is a line
        raise SweepError(f"a job of the sweep failed ({reason}); nasctl ls runs shows each") from complaint
    if complaint is not None:
        raise _readable(complaint, list(line.settings)) from complaint
    if jobs.raised is not None:
        raise jobs.raised


def _folders(arguments: list[str], line: Line) -> tuple[Path, ...]:
    """Return the folders of YAML files that a command line names, conf/ among them."""
    found = [Path(folder).resolve() for folder in line.values("--config-dir")]
    for override in arguments:
        if _key(override) == "hydra.searchpath" and isinstance(paths := _override(override).value, list):
            found += [Path(str(path).removeprefix("file://")).resolve() for path in paths]
    return conf_dir(), *found


def config_folders() -> tuple[Path, ...]:
    """Return those folders in a job, whatever process runs it."""
    from hydra.core.hydra_config import HydraConfig

    sources = HydraConfig.get().runtime.config_sources
    return tuple(Path(source.path) for source in sources if source.schema == "file")


@cache
def _parser() -> Any:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return OverridesParser.create()


def _override(line: str) -> Override:
    """Return an override as Hydra reads it."""
    read = _parser().parse_override(line)
    sweep = read.is_sweep_override()
    return Override(read.key_or_group, read.package, None if sweep else read.value(), read.is_delete(), sweep)


def _sweep(jobs: Jobs, line: Line, settings: list[str], plain_of: Callable[[Any], Config]) -> bool:
    """Run the jobs of a sweep one after the other; return False where another sweeper or launcher is to do that.

    Hydra itself would compose each job twice, and end the sweep where one cannot be composed.
    """
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    if any(_key(setting).startswith("hydra") for setting in settings):
        return False
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf_dir()), version_base="1.3", job_name="nasctl"):
        _composed_of.cache_clear()
        try:
            several = _expanded(settings)
            cfg = _composed(line, several[0])
        except RequestError as error:  # what is wrong with all ends the sweep before it begins
            jobs.raised = error
            return True
        if not _is_plain_sweep(cfg):
            return False
        for number, own in enumerate(several):
            print(f"job {number + 1} of {len(several)}: {' '.join(own)}", flush=True)
            with contextlib.suppress(Exception):  # `jobs` has noted it
                jobs.run_in_sweep(f"job {number} ({','.join(own)})", partial(_job_of, line, own, plain_of))
    return True


def _expanded(settings: list[str]) -> list[list[str]]:
    """Return the settings of each job of a sweep."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    several = BasicSweeper.split_arguments(parser.parse_overrides(settings), None)[0]
    if not several:
        raise RequestError(f"{' '.join(settings)}: is a sweep without a job; correct the pattern in it")
    return several


def _job_of(line: Line, own: list[str], plain_of: Callable[[Any], Config]) -> Config:
    from hydra.core.hydra_config import HydraConfig

    cfg = _composed(line, own)
    HydraConfig.instance().set_config(cfg)
    return plain_of(cfg)


def _composed(line: Line, own: list[str]) -> Any:
    """Compose a job; jobs that differ in plain values alone are composed once, which takes ten times longer."""
    from omegaconf import open_dict

    plain = [setting for setting in own if not _is_structural(setting, line)]
    try:
        cfg = deepcopy(_composed_of(line, tuple(setting for setting in own if setting not in plain)))
        for setting in plain:
            _set(cfg, setting, line)
    except RequestError:
        raise
    except Exception as error:
        raise _readable(error, list(line.settings)) from error
    with open_dict(cfg):
        cfg.hydra.overrides.task = own
    return cfg


def _set(cfg: Any, setting: str, line: Line) -> None:
    """Give a setting its value, as Hydra does."""
    from omegaconf import OmegaConf
    from omegaconf.errors import ConfigAttributeError, ConfigKeyError

    try:
        OmegaConf.update(cfg, _key(setting), _parsed(setting).value(), merge=True)
    except (ConfigAttributeError, ConfigKeyError) as error:
        raise unknown_key(_key(setting), list(line.settings)) from error


@cache
def _leave_unused_parts() -> None:
    """Have Hydra leave out what an experiment chooses for a part that is not there.

    An experiment that says ``override /estimator/unroll: exact`` can then be composed with another estimator, which
    has no such part. What is chosen on the command line, and a group that does not exist, stay errors.
    """
    from hydra._internal.defaults_list import Overrides

    check = Overrides.ensure_overrides_used

    def check_others(self: Any) -> None:
        for key, meta in self.override_metadata.items():
            group = key.split("@")[0]
            meta.used |= not meta.external_override and "/" in group and (conf_dir() / group).is_dir()
        check(self)

    Overrides.ensure_overrides_used = check_others  # type: ignore[method-assign]


@lru_cache(maxsize=8)
def _composed_of(line: Line, own: tuple[str, ...]) -> Any:
    from hydra import compose

    _leave_unused_parts()
    folders = ",".join(in_quotes(f"file://{Path(folder).resolve()}") for folder in line.values("--config-dir"))
    found = [f"hydra.searchpath=[{folders}]"] if folders else []
    return compose((line.values("--config-name") or ["config"])[-1], [*own, *found], return_hydra_config=True)


def _is_structural(setting: str, line: Line) -> bool:
    """Return whether a setting chooses, adds or removes, so that more than one value depends on it."""
    folders = [conf_dir(), *map(Path, line.values("--config-dir"))]
    group = _key(setting).partition("@")[0]
    return setting[0] in "+~" or "@" in _key(setting) or any((folder / group).is_dir() for folder in folders)


def _is_plain_sweep(cfg: Any) -> bool:
    """Return whether a configuration leaves sweeps to Hydra's own sweeper and launcher, without further settings."""
    hydra = cfg.hydra
    own = all(
        hydra[part]._target_.startswith("hydra._internal.core_plugins.basic_") for part in ("sweeper", "launcher")
    )
    return own and not hydra.sweeper.params and hydra.sweeper.max_batch_size is None


def _parsed(setting: str) -> Any:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return OverridesParser.create().parse_override(setting)


def show_composed(config: Config) -> None:
    """Print the configuration of a job of a sweep."""
    import yaml

    shown = {key: value for key, value in config.items() if key not in ("choices", "overrides", "resources")}
    print(yaml.safe_dump(shown, sort_keys=False, allow_unicode=True))


def _name_of_job() -> str:
    from hydra.core.hydra_config import HydraConfig

    job = HydraConfig.get().job
    return f"job {job.num} ({job.override_dirname})"


def _plain(verb: str, cfg: Any, assumed: Inherited, alike: Inherited) -> Config:
    """Return the configuration as plain data, and say which addresses of other runs it leaves out.

    ``assumed`` is what is inherited from a sweep's first source; a job with another one is composed anew.
    """
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf
    from omegaconf.errors import InterpolationKeyError, OmegaConfBaseException

    try:
        overrides = list(HydraConfig.get().overrides.task)  # an interpolation is resolved for the record
    except OmegaConfBaseException as error:
        raise _in_one_sentence(error) from error
    own_files.take(config_folders()[1:])  # a launcher's process is another one
    choices = HydraConfig.get().runtime.choices
    own = [override for override in overrides if override not in assumed.lines]
    inherited = _inherited(_first(cfg["from"]), own, config_folders())
    if inherited.lines != assumed.lines:
        from hydra import compose

        overrides = [*inherited.lines, *own]
        cfg = compose(config_name="config", overrides=overrides, return_hydra_config=True)
        choices = cfg.hydra.runtime.choices
    _check_added(own, cfg)
    cfg = _with_preset(cfg, overrides, choices)
    try:
        cfg = OmegaConf.masked_copy(cfg, [key for key in cfg if key != "hydra"])
        missing = sorted(k for k in OmegaConf.missing_keys(cfg) if k.split(".")[0] not in NOT_BUILT[verb])
        _print_notes(cfg, inherited, alike, NOT_BUILT[verb])
        if missing:
            raise RequestError(f"{missing[0]}: a value is required; add {missing[0]}=...")
        plain: Config = OmegaConf.to_container(cfg, resolve=True)  # type: ignore[assignment]
    except InterpolationKeyError as error:
        raise _unresolved(error) from error
    except OmegaConfBaseException as error:
        raise _in_one_sentence(error) from error
    plain |= {"choices": _of_groups(choices), "overrides": overrides}
    plain |= {"resources": named_resources.nodes(plain, config_folders())}
    return plain | {"cut": _cut(plain)}


def _of_groups(choices: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return the choices of the groups, and those of their parts, such as ``trainer/schedule``."""
    parts = {key: name for key, name in choices.items() if key.split("/")[0] in GROUPS and key not in GROUPS}
    return {group: choices.get(group) for group in GROUPS} | {key: parts[key] for key in parts if "@" not in key}


def _check_added(overrides: list[str], cfg: Any) -> None:
    """Raise `RequestError` if a setting is added, as in ``+trainer.slowness=1``, that has another name today."""
    for override in overrides:
        sentence = answer(_key(override), _given(_key(override), [override])) if override[0] == "+" else None
        node = cfg.get(_key(override).partition(".")[0]) if sentence else None
        own = str(node.get("_target_")) if isinstance(node, Mapping) else ""
        if sentence and (own == "" or own.startswith("nasctl.")):
            raise RequestError(sentence)


def _with_preset(cfg: Any, overrides: Sequence[str], choices: Mapping[str, str | None]) -> Any:
    """Return ``cfg`` with what a preset sets for its choices; settings of the command line keep their values."""
    from omegaconf import OmegaConf, open_dict

    files = presets.files(choices, config_folders())
    if not files:
        return cfg
    with open_dict(cfg):
        cfg = OmegaConf.merge(cfg, *map(OmegaConf.load, files))
        for given in map(_override, overrides):
            if not (given.deletes or _is_group(given.key)):
                OmegaConf.update(cfg, given.key, given.value, merge=True, force_add=True)
    return cfg


def _is_group(key: str) -> bool:
    return any((folder / key).is_dir() for folder in config_folders())


def _print_notes(cfg: Any, inherited: Inherited, alike: Inherited, unused: Sequence[str]) -> None:
    """Print what a run had and this command does not take over from it."""
    from omegaconf import OmegaConf

    def current(key: str) -> Any:
        return OmegaConf.select(cfg, key)

    for note in [
        *inherited.notes(str(_first(cfg["from"])), current, unused),
        *alike.notes(str(current("budget.like")), current, ()),
    ]:
        print(note, file=sys.stderr)


def _cut(config: Config) -> dict[str, str] | None:
    """Return how ``config`` differs from its experiment as shipped; None where it names no published row."""
    from hydra import compose
    from omegaconf import OmegaConf

    if not config["published"]:
        return None
    asked = experiment.asked(config["overrides"])
    if not experiment.shipped(asked, conf_dir()):
        return {"": experiment.NONE}
    reference = OmegaConf.to_container(compose("config", [*asked, f"seed={config['seed']}"]), resolve=True)
    return experiment.cut(config, reference, config["overrides"])  # type: ignore[arg-type]


def _unresolved(error: Any) -> RequestError:
    """Return the error for a setting whose value is that of another one, which is not there."""
    other = re.search(r"'([^']+)' not found", str(error))
    setting = error.full_key
    return RequestError(
        f"{setting}: is that of {other[1] if other else 'another setting'}, which is not there; "
        f"add {setting}=... or choose what has it"
    )


def _first_source(arguments: list[str]) -> tuple[int, str | None]:
    """Return where ``from=`` stands and what it names; in a sweep, the first of its paths."""
    from hydra.core.override_parser.types import ChoiceSweep, QuotedString

    for place, argument in enumerate(arguments):
        if _key(argument) == "from":
            value = _parsed(argument).value()
            first = _first(value.list if isinstance(value, ChoiceSweep) else value)
            return place, first.text if isinstance(first, QuotedString) else first
    return 0, None


def _first(source: Any) -> Any:
    """Return the first of several sources; one alone as text, none as it is."""
    if not isinstance(source, str | None) and isinstance(source, Sequence):
        return next(iter(source), None)
    return source if source is None else str(source)


def _inherited(source: str | None, own: list[str], folders: tuple[Path, ...]) -> Inherited:
    """Return the overrides of the run ``source``, less those given again and those of a run itself."""
    if not source or not os.path.exists(Path(source, "overrides.yaml")):
        return Inherited()
    return inheritance.from_overrides(Path(source), set(map(_key, own)), OWN, _override, folders)


def _alike(own: list[str], folders: tuple[Path, ...]) -> Inherited:
    """Return the overrides that give a search the groups `LIKE` of the run ``budget.like``."""
    given = {_key(override): unquoted(override.partition("=")[2]) for override in own}
    run = Path(given.get("budget.like", ""))
    if "budget.like" not in given or "experiment" in given or not _is_there(run / "config.yaml"):
        return Inherited()
    return inheritance.from_config(run, given, LIKE, folders)


def _is_there(path: Path) -> bool:
    try:
        return os.path.exists(path)
    except ValueError:  # a text with a NUL
        return False


def _readable(error: Exception, arguments: list[str]) -> Exception:
    """Return Hydra's and OmegaConf's complaints as a `RequestError` of one sentence, others as they are."""
    from hydra.errors import HydraException, MissingConfigException
    from omegaconf.errors import OmegaConfBaseException

    if isinstance(error, MissingConfigException) and error.options:
        group, _, name = str(error.missing_cfg_file).rpartition("/")
        return unknown_choice(group, name, error.options)
    if isinstance(error, MissingConfigException) and (missing := re.search(r"Could not load '([^']+)'", str(error))):
        group, _, name = missing[1].rpartition("/")
        if sentence := answer_choice(group, name):
            return RequestError(sentence)
    match = re.search(
        r"Could not override '([^']+)'|Key '([^']+)' is not in struct|Could not delete from config. '([^']+)'",
        str(error),
    )
    if match:
        return unknown_key(match[1] or match[2] or match[3], arguments)
    if isinstance(error, HydraException | OmegaConfBaseException) or _is_of_composing(error):
        return _in_one_sentence(error)
    return error


def _in_one_sentence(error: Exception) -> RequestError:
    text = " ".join(str(error).split())
    return RequestError(f"{text.rstrip('.')}; correct the command line or the YAML it names")


def _is_of_composing(error: Exception) -> bool:
    """Return whether an error was raised by what composes, which trips over some values in ways of its own."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = trace.tb_frame.f_globals.get("__name__", "") if trace else ""
    return module.partition(".")[0] in ("hydra", "omegaconf", "antlr4", "yaml") and not isinstance(error, OSError)


def unknown_key(key: str, arguments: list[str]) -> RequestError:
    """Return the error for a setting that does not exist, with its new name or the nearest one of the same choices."""
    if renamed := _renamed(answer(key, _given(key, arguments))):
        return renamed
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf

    before = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    groups = [a.split(",")[0] for a in arguments if _key(a) in (*GROUPS, "experiment", "debug")]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        try:
            cfg = OmegaConf.to_container(compose("config", groups))
        except HydraException:  # a choice of the user's own --config-dir
            cfg = OmegaConf.to_container(compose("config"))
    GlobalHydra.instance().hydra = before
    keys = list(_flat(cfg))  # type: ignore[arg-type]
    near = difflib.get_close_matches(key, keys, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted({k.split('.')[0] for k in keys}))}"
    return RequestError(f"{key}: unknown setting; {hint} (nasctl search --cfg job shows them all)")


def unknown_choice(group: str, name: str, options: Sequence[str]) -> RequestError:
    """Return the error for a choice that does not exist, with its new name or the nearest one."""
    return _renamed(answer_choice(group, name)) or unknown(group or "config", name, options)


def _renamed(sentence: str | None) -> RequestError | None:
    return RequestError(sentence) if sentence else None


def _given(key: str, arguments: Sequence[str]) -> str | None:
    """Return the text that ``arguments`` give a setting."""
    return next((argument.partition("=")[2] for argument in arguments if _key(argument) == key), None) or None


def _flat(node: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in node.items():
        yield prefix + key
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
