"""From configuration to objects: the only module that knows Hydra and OmegaConf.

``launch`` composes and hands a plain dict to a verb; ``validate`` binds every ``_target_`` to its constructor
before anything is built; ``make`` builds.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_type_hints

from pydantic import ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveInt, TypeAdapter, ValidationError

from nasctl import inheritance
from nasctl.core import Interrupted, RequestError, RunError, SweepError, unknown
from nasctl.inheritance import Inherited, Override
from nasctl.inheritance import key_of as _key
from nasctl.text import shown

Config = dict[str, Any]
"""A composed and resolved configuration as plain data, with its ``choices`` and ``overrides`` added."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """What ``correlation`` sets, of the verb correlate."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    n: Annotated[int, Field(ge=3)]
    trainings: PositiveInt
    val_batches: PositiveInt | None
    recalibrate: NonNegativeInt | None
    top: Annotated[float, Field(gt=0, lt=1)]
    resamples: PositiveInt


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the root of the configuration sets, groups apart."""

    seed: Annotated[int, Field(strict=True, ge=0)]  # it names the run: 1.0 is not 1
    device: str
    threads: PositiveInt | None
    record_every: PositiveInt
    repeats: PositiveInt
    curve: list[PositiveInt]
    resume: Literal["auto", "never", "must"]
    run_dir: str | None
    dry_run: bool
    checkpoint: dict[Literal["seconds"], NonNegativeFloat]
    selection: dict[Literal["epochs"], PositiveInt]
    correlation: Ranking
    paths: dict[Literal["data", "outputs"], str]


GROUPS = ("space", "strategy", "estimator", "dataset", "trainer", "reward", "constraint", "resource")
OWN = (
    "from",
    "run_dir",
    "dry_run",
    "resume",
    "traceback",
    "checkpoint",
    "form",
    "format",
    "paths.outputs",
    "budget.like",
)
"""Settings of a run itself, which a run that starts from it does not inherit."""
NOT_SIGNED = ("download", "workers", "root")
"""Settings of a group that do not touch results."""
LIKE = ("space", "dataset", "trainer", "constraint")
"""Groups that a search takes, with the number of threads, from the run ``budget.like``, unless it chooses them or
an experiment."""
NOT_BUILT = {
    "search": ("against",),
    "select": ("strategy", "estimator", "against"),
    "correlate": ("strategy", "estimator"),
    "retrain": ("strategy", "estimator", "against"),
    "inspect": ("strategy", "estimator", "against"),
}
"""Groups that a verb builds nothing of, so that their settings may be missing."""


def conf_dir() -> Path:
    """Return the folder of configuration groups: inside an installed wheel, or of the checkout."""
    package = Path(__file__).resolve().parent
    return next(path for path in (package / "conf", package.parent / "conf") if path.is_dir())


def launch(verb: str, job: Callable[[Config], None], arguments: list[str]) -> None:
    """Compose the configuration that ``arguments`` describe and call ``job`` with it, once or in a sweep.

    Raises what a single job raised; in a sweep every job runs, and the first failure is raised at the end.
    """
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    raised: list[BaseException] = []
    failed: list[BaseException] = []  # of a sweep whose jobs run in this process

    def task(cfg: Any) -> None:
        try:
            job(_plain(verb, cfg, inherited, alike))
        except BaseException as error:
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                failed.append(error)
                _announce(verb, error)
                raise
            raised.append(error)  # a raise here would have Hydra print its own line first

    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors arrive here as they are, instead of printed by Hydra
    place, source = _first_source(arguments)
    folders = _folders(arguments)
    inherited = _inherited(source, arguments, folders)
    alike = _alike(arguments, folders) if verb == "search" else Inherited()
    sys.argv = [f"nasctl {verb}", *alike.lines, *arguments[:place], *inherited.lines, *arguments[place:]]
    try:
        hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="config")(task)()
    except Exception as error:
        if failed or isinstance(error, RequestError | RunError):  # raised by a job here, or in a launcher's process
            first = (failed or [error])[0]
            raise SweepError(f"a job of the sweep failed ({first}); nasctl ls runs shows each") from error
        raise _readable(error, arguments) from error
    if raised:
        raise _readable(raised[0], arguments) if isinstance(raised[0], Exception) else raised[0]


def _folders(arguments: list[str]) -> tuple[Path, ...]:
    """Return the folders of YAML files that a command line names, conf/ among them."""
    from hydra._internal.utils import get_args_parser

    given, _ = get_args_parser().parse_known_args(arguments)
    found = [Path(folder).resolve() for folder in (given.config_path, given.config_dir) if folder]
    for override in given.overrides if any(_key(argument) == "hydra.searchpath" for argument in arguments) else ():
        if _key(override) == "hydra.searchpath" and isinstance(paths := _parsed(override).value, list):
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


def _parsed(line: str) -> Override:
    """Return an override as Hydra reads it."""
    read = _parser().parse_override(line)
    sweep = read.is_sweep_override()
    return Override(read.key_or_group, read.package, None if sweep else read.value(), read.is_delete(), sweep)


def _announce(verb: str, error: BaseException) -> None:
    from hydra.core.hydra_config import HydraConfig

    job = HydraConfig.get().job
    print(shown(f"nasctl {verb}: job {job.num} ({job.override_dirname}): {error}"), file=sys.stderr)
    if not isinstance(error, RequestError | RunError | Interrupted):
        traceback.print_exception(error)


def _plain(verb: str, cfg: Any, assumed: Inherited, alike: Inherited) -> Config:
    """Return the configuration as plain data, and say which addresses of other runs it leaves out.

    ``assumed`` is what is inherited from a sweep's first source; a job with another one is composed anew.
    """
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf
    from omegaconf.errors import InterpolationKeyError

    overrides = list(HydraConfig.get().overrides.task)
    choices = HydraConfig.get().runtime.choices
    own = [override for override in overrides if override not in assumed.lines]
    inherited = _inherited(_first(cfg["from"]), own, config_folders())
    if inherited.lines != assumed.lines:
        from hydra import compose

        overrides = [*inherited.lines, *own]
        cfg = compose(config_name="config", overrides=overrides, return_hydra_config=True)
        choices = cfg.hydra.runtime.choices
    cfg = OmegaConf.masked_copy(cfg, [key for key in cfg if key != "hydra"])
    try:
        missing = sorted(k for k in OmegaConf.missing_keys(cfg) if k.split(".")[0] not in NOT_BUILT[verb])
    except InterpolationKeyError as error:
        raise _unresolved(error) from error
    for note in [
        *inherited.notes(str(_first(cfg["from"])), lambda key: OmegaConf.select(cfg, key), NOT_BUILT[verb]),
        *alike.notes(str(OmegaConf.select(cfg, "budget.like")), lambda key: OmegaConf.select(cfg, key), ()),
    ]:
        print(note, file=sys.stderr)
    if missing:
        raise RequestError(f"{missing[0]}: a value is required; add {missing[0]}=...")
    plain: Config = OmegaConf.to_container(cfg, resolve=True)  # type: ignore[assignment]
    return plain | {"choices": {g: choices.get(g) for g in GROUPS}, "overrides": overrides}


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
    for place, argument in enumerate(arguments):
        if _key(argument) == "from":
            value = argument.partition("=")[2].strip("'")
            return place, value if Path(value).exists() else _first(value.strip("[]").split(",")).strip("'")
    return 0, None


def _first(source: Any) -> Any:
    """Return the first of several sources; one alone, or none, as it is."""
    return source if source is None or isinstance(source, str) else next(iter(source), None)


def _inherited(source: str | None, own: list[str], folders: tuple[Path, ...]) -> Inherited:
    """Return the overrides of the run ``source``, less those given again and those of a run itself."""
    if not source or not os.path.exists(Path(source, "overrides.yaml")):
        return Inherited()
    return inheritance.from_overrides(Path(source), set(map(_key, own)), OWN, _parsed, folders)


def _alike(own: list[str], folders: tuple[Path, ...]) -> Inherited:
    """Return the overrides that give a search the groups `LIKE` of the run ``budget.like``."""
    given = {_key(override): override.partition("=")[2].strip("'") for override in own}
    run = Path(given.get("budget.like", ""))
    if "budget.like" not in given or "experiment" in given or not os.path.exists(run / "config.yaml"):
        return Inherited()
    return inheritance.from_config(run, given, LIKE, folders)


def _readable(error: Exception, arguments: list[str]) -> Exception:
    """Return Hydra's and OmegaConf's complaints as a `RequestError` of one sentence, others as they are."""
    from hydra.errors import HydraException, MissingConfigException
    from omegaconf.errors import OmegaConfBaseException

    if isinstance(error, MissingConfigException) and error.options:
        group, _, name = str(error.missing_cfg_file).rpartition("/")
        return unknown(group or "config", name, error.options)
    match = re.search(r"Could not override '([^']+)'|Key '([^']+)' is not in struct", str(error))
    if match:
        return unknown_key(match[1] or match[2], arguments)
    if isinstance(error, HydraException | OmegaConfBaseException):
        text = " ".join(str(error).split())
        return RequestError(f"{text.rstrip('.')}; correct the command line or the YAML it names")
    return error


def unknown_key(key: str, arguments: list[str]) -> RequestError:
    """Return the error for a setting that does not exist, with the nearest one of the same choices."""
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf

    GlobalHydra.instance().clear()
    groups = [a.split(",")[0] for a in arguments if _key(a) in (*GROUPS, "experiment", "debug")]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        try:
            cfg = OmegaConf.to_container(compose("config", groups))
        except HydraException:  # a choice of the user's own --config-dir
            cfg = OmegaConf.to_container(compose("config"))
    keys = list(_flat(cfg))  # type: ignore[arg-type]
    near = difflib.get_close_matches(key, keys, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted({k.split('.')[0] for k in keys}))}"
    return RequestError(f"{key}: unknown setting; {hint} (nasctl search --cfg job shows them all)")


def _flat(node: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in node.items():
        yield prefix + key
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")


def validate(config: Config, groups: tuple[str, ...]) -> None:
    """Check that ``groups`` are chosen and every setting fits its constructor; report all misfits at once."""
    for group in groups:
        if "_target_" not in (config.get(group) or {}):
            options = sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))
            raise RequestError(f"{group}: nothing is chosen; add {group}=..., one of {', '.join(options)}")
    settings = {field.name: config[field.name] for field in fields(Settings)}
    misfits = [misfit.replace("config.", "", 1) for misfit in _bind_to(Settings, settings, "config")[1]]
    misfits += [misfit for group in groups for misfit in _bind(config[group], group)[1]]
    if misfits:
        raise RequestError(*misfits)


def make(node: Mapping[str, Any], *collaborators: Any) -> Any:
    """Build the object that ``node`` describes, and those nested in it, from values of the right types."""
    arguments, misfits = _bind(node, "config")
    if misfits:
        raise RequestError(*misfits)
    built = {key: make(value) if _is_target(value) else value for key, value in arguments.items()}
    return target(node)(*collaborators, **built)


def convert(values: Mapping[str, Any], cls: type, path: str) -> dict[str, Any]:
    """Return ``values`` converted to the types of a dataclass, or raise `RequestError` with all misfits."""
    arguments, misfits = _bind_to(cls, values, path)
    if misfits:
        raise RequestError(*misfits)
    return arguments


def _is_target(value: Any) -> bool:
    return isinstance(value, Mapping) and "_target_" in value


def target(node: Mapping[str, Any]) -> Any:
    """Return the class that ``_target_`` names, or raise `RequestError`."""
    module, _, name = node["_target_"].rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise RequestError(f"_target_={node['_target_']}: {error}; correct the YAML's first line") from error


def _bind(node: Mapping[str, Any], path: str) -> tuple[dict[str, Any], list[str]]:
    """Return a node's keyword arguments, converted to the annotated types, and its misfits."""
    values = {key: value for key, value in node.items() if key != "_target_"}
    return _bind_to(target(node), values, path)


def _bind_to(cls: Any, node: Mapping[str, Any], path: str) -> tuple[dict[str, Any], list[str]]:
    hints = get_type_hints(cls.__init__, include_extras=True)
    names = [n for n, p in inspect.signature(cls.__init__).parameters.items() if p.kind == p.KEYWORD_ONLY]
    arguments: dict[str, Any] = {}
    misfits = [f"{path}.{name}: a value is required; add it to the YAML" for name in names if name not in node]
    for key, value in node.items():
        if key not in names:
            misfits.append(str(unknown(path, key, names)))
        elif _is_target(value):
            arguments[key], nested = value, _bind(value, f"{path}.{key}")[1]
            misfits += nested
        else:
            arguments[key], wrong = _convert(value, hints[key], f"{path}.{key}")
            misfits += wrong
    return arguments, misfits


def _convert(value: Any, hint: Any, path: str) -> tuple[Any, list[str]]:
    try:
        return TypeAdapter(hint).validate_python(value), []
    except ValidationError as error:
        return None, [_misfit(path, e) for e in error.errors()]


def _misfit(path: str, error: Mapping[str, Any]) -> str:
    place = ".".join([path, *(str(part) for part in error["loc"])])
    message = error["msg"][0].lower() + error["msg"][1:]
    return f"{place}={error['input']!r}: {message}; correct it there or on the command line"
