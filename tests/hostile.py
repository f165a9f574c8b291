"""Run directories as a stranger might make them: a copy of a real run with one attack, a pure function of a seed."""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml

SECRET = "s3cret-of-the-victim"  # value of the environment variable NASCTL_SECRET
FILES = (
    "status.json",
    "log.txt",
    "trials.jsonl",
    "history.jsonl",
    "lock",
    "checkpoint.pt",
    "costs.jsonl",
    "config.yaml",
    "overrides.yaml",
    "environment.json",
    "result.json",
    "architecture.json",
    ".status.json.tmp",
    "decisions.json",
    ".checkpoint.pt.tmp",
    "latency.json",
    "replicas.jsonl",
    "weights.pt",
    "correlation.png",
)
TARGETS = (
    "shutil.rmtree",
    "os.system",
    "os.remove",
    "subprocess.run",
    "builtins.open",
    "builtins.exec",
    "evil.Evil",
    "nasctl.files.write_whole",
    "nasctl.runs.Run",
    "nasctl.cli.main.run",
    "pathlib.Path",
    "nasctl.cli.search.search",
    "torch.load",
    "nasctl.space.darts.Darts",
    "nasctl.dataset.criteo.Criteo",
    "importlib.import_module",
)
CONTROLS = (
    "\x1b[31mred",
    "\x1b]0;title\x07",
    "a\nnasctl: all is well",
    "a\rb",
    "\u202egnp.exe",
    "\x9b2J",
    "a\u200bb",
    "\x00",
    "a\tb\x08",
    "\u2028",
    "\u2066x",
    "\ufeff",
    "\udc80",
)
FORMULAS = (
    '=HYPERLINK("http://x","y")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\r=1",
    "\uff1d1+1",
    "[5cm]",
    "*",
    "a | b",
    "![x](http://x/y)",
    "<script>1</script>",
    "$x$",
    "$\\frac$",
    "\\input{/etc/passwd}",
    "%",
    "`x`",
    "\\|",
)


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.path, "w")


class Attack:
    """A run directory ``run`` under attack, with ``victim`` the folder that must stay as it is."""

    def __init__(self, run: Path, victim: Path, draw: random.Random) -> None:
        self.run, self.victim, self.draw = run, victim, draw

    def lines(self, *lines: Any) -> None:
        """Add lines to overrides.yaml, in the place of those of the same setting."""
        path = self.run / "overrides.yaml"
        keys = {str(line).split("=")[0] for line in lines}
        kept = [line for line in yaml.safe_load(path.read_text()) if line.split("=")[0] not in keys]
        at = self.draw.randrange(len(kept) + 1)
        path.write_text(yaml.safe_dump([*kept[:at], *lines, *kept[at:]]))

    def set(self, name: str, keys: str, value: Any) -> None:
        """Set a value of a JSON or YAML record."""
        path = self.run / name
        content = json.loads(path.read_text()) if path.suffix == ".json" else yaml.safe_load(path.read_text())
        node = content
        *above, last = keys.split("/")
        for key in above:
            if not isinstance(node.get(key), dict):
                node[key] = {}
            node = node[key]
        node[last] = value
        path.write_text(json.dumps(content) if path.suffix == ".json" else yaml.safe_dump(content))

    def pick(self, *values: Any) -> Any:
        return self.draw.choice(values)


def options(a: Attack) -> None:
    torch.save({"x": 1}, a.run / "job.pickle")
    (a.run / "job.pickle").write_bytes(pickle.dumps(Trap(a.victim / "sprung")))
    name = a.pick("--experimental-rerun", "--config-dir", "--config-path", "-cd", "-cp", "--package", "--info", "-cn")
    a.lines(
        a.pick(
            f"{name}={a.run / 'job.pickle'}",
            f"{name}={a.run}",
            "-m",
            "--multirun",
            "--cfg=job",
            "-h",
            "--run",
            "--hydra-help",
            "--shell-completion",
            "-sc=install=bash",
            "@file",
            "",
            " ",
            "-",
            "--",
        )
    )


def hydra(a: Attack) -> None:
    (a.run / "space").mkdir()
    (a.run / "space" / "own.yaml").write_text("_target_: evil.Evil\n")
    a.lines(
        a.pick(
            f"hydra.run.dir={a.victim}/x",
            f"hydra.sweep.dir={a.victim}/x",
            "hydra/launcher=joblib",
            "+hydra.callbacks.x._target_=evil.Evil",
            f"hydra.searchpath=[file://{a.run}]",
            "hydra.job.chdir=true",
            f"hydra.output_subdir={a.victim}",
            "+hydra/x=y",
            "~hydra.job",
            "hydra.mode=MULTIRUN",
        )
    )
    if a.pick(True, False):
        a.lines("space=own")


def interpolation(a: Attack) -> None:
    inner = a.pick(
        "oc.env:NASCTL_SECRET",
        "oc.env:NASCTL_SECRET,x",
        "oc.decode:${oc.env:NASCTL_SECRET}",
        "paths.data",
        "hydra:runtime.cwd",
        "oc.dict.keys:paths",
        "oc.create:${paths}",
        "now:%Y",
        "oc.select:label",
    )
    a.lines(
        a.pick(
            f"label=${{{inner}}}",
            f"label='a${{{inner}}}b'",
            f'label="\\${{{inner}}}"',
            f"+x=[1, '${{{inner}}}']",
            f"++published={{table: '${{{inner}}}', method: x}}",
            f"seed=${{{inner}}}",
            f"+x={{'${{{inner}}}': 1}}",
            f"label=\\\\${{{inner}}}",
            f"trainer.epochs=${{{inner}}}",
            f"space=${{{inner}}}",
        )
    )


def interpolation_in_config(a: Attack) -> None:
    group = a.pick("space", "dataset", "trainer", "constraint")
    value = a.pick("${oc.env:NASCTL_SECRET}", "x${oc.env:NASCTL_SECRET}", "\\${oc.env:NASCTL_SECRET}")
    a.set(
        "config.yaml", f"{group}/{a.pick('name', 'augment', 'mean', 'x.y', 'a=b', 'lengths/x')}", a.pick(value, [value])
    )
    if a.pick(True, False):
        a.set("config.yaml", "label", value)


def target_in_overrides(a: Attack) -> None:
    target, group = (
        a.pick(*TARGETS),
        a.pick("space", "dataset", "trainer", "constraint", "resource", "reward", "strategy"),
    )
    a.lines(
        a.pick(
            f"{group}._target_={target}",
            f"++{group}._target_={target}",
            f"{group}={{_target_: {target}}}",
            f"++{group}.x={{_target_: {target}, path: {a.victim}}}",
            f"+{group}._partial_=true",
            f"+{group}._args_=[{a.victim}]",
            f"++{group}.x=[{{_target_: {target}}}]",
            "estimator@space=table",
            f"{group}@dataset=darts",
            f"+space@{group}=darts",
            f"++{group}._recursive_=false",
            f"+extra={{a: {{b: {{_target_: {target}}}}}}}",
        )
    )


def target_in_config(a: Attack) -> None:
    target, group = a.pick(*TARGETS), a.pick("space", "dataset", "estimator", "trainer")
    keys = a.pick("_target_", "_target_", "augment/_target_", "x/_target_", "_args_", "_partial_", "trainer/_target_")
    a.set("config.yaml", f"{group}/{keys}", target)
    if a.pick(True, False):
        name = a.pick("path", "name", "command", "args", "root", "file")
        a.set("config.yaml", group, {"_target_": target, name: str(a.victim)})


def names(a: Attack) -> None:
    (a.run / "evil.yaml").write_text("_target_: evil.Evil\n")
    up = os.path.relpath(a.run / "evil", Path(__file__).parents[1] / "conf" / "space")
    key = a.pick("space", "dataset", "trainer", "+experiment", "+debug", "resource", "estimator@against", "strategy")
    a.lines(
        f"{key}="
        + a.pick(
            up,
            f"{a.run}/evil",
            "../../x",
            "../space/darts",
            "darts/../darts",
            "..",
            "/etc/passwd",
            "nowhere",
            "'a b'",
            "[darts, evil]",
            "null",
            "1",
            "darts.yaml",
            "''",
        )
    )


def names_in_records(a: Attack) -> None:
    name = a.pick("../../x", "..", "/etc", "a/../../b", "x" * 300, "a\nb", "", 5, ["x"], "a b", "\x00")
    for group in ("space", "strategy", "dataset"):
        if a.pick(True, False):
            a.set("config.yaml", f"choices/{group}", name)
            if "source" in json.loads((a.run / "result.json").read_text()):
                a.set("result.json", f"source/choices/{group}", name)
                a.set("result.json", "source/name", name)


def addresses(a: Attack) -> None:
    value = a.pick(str(a.victim), f"{a.victim}/x", "../..", "~", "http://x/y", "/etc/passwd", "/dev/zero")
    a.lines(
        a.pick(
            f"paths.data={value}",
            f"paths.outputs={value}",
            f"run_dir={value}",
            f"+dataset.cache={value}",
            f"+dataset.folder={value}",
            f"++dataset.root={value}",
            f"++estimator.root={value}",
            f"paths={{data: {value}}}",
            f"++paths={{outputs: {value}}}",
            "+dataset.download=true",
            f"from={value}",
            f"budget.like={value}",
            f"++budget={{like: {value}}}",
            "form=x",
            "paths=1",
            f"+estimator.file={value}",
            "budget=1",
            "published=x",
            "correlation=null",
        )
    )


def addresses_in_config(a: Attack) -> None:
    value = a.pick(str(a.victim), "/dev/zero", "../../..", True)
    keys = a.pick(
        "paths/data", "paths/outputs", "run_dir", "dataset/root", "dataset/cache", "estimator/root", "dataset/file"
    )
    a.set("config.yaml", keys, value)
    if a.pick(True, False):
        node = yaml.safe_load((Path(__file__).parents[1] / "conf/dataset/criteo.yaml").read_text())
        a.set("config.yaml", "dataset", node | {"file": "train.txt", "cache": str(a.victim)})


def sweeps(a: Attack) -> None:
    a.lines(
        a.pick(
            "seed=0,1",
            "seed=choice(0,1)",
            "seed=range(0,3)",
            "label=glob(*)",
            "seed=interval(0,1)",
            "space=a,b",
            "seed=shuffle(1,2)",
            "label=tag(a,choice(1,2))",
            "seed=sort(3,2,1)",
            "seed=9" * 2,
            "~seed",
            "~paths",
            "~space",
            "~dataset.mean",
            "seed={a: 1}",
            "label=[1,2]",
            "label={a: 1}",
            "seed=" + "9" * 5000,
            "x=" + "[" * 3000 + "]" * 3000,
            "x=" + "9" * 30_000,
            "a.b.c=1",
            "seed.x=1",
            "label.x=1",
        )
    )


def text(a: Attack) -> None:
    value = a.pick(*CONTROLS, *FORMULAS)
    where = [
        ("config.yaml", "label"),
        ("config.yaml", "published/method"),
        ("config.yaml", "published/table"),
        ("config.yaml", "choices/strategy"),
        ("result.json", "error_kind"),
        ("result.json", "method"),
        ("result.json", "signature"),
        ("result.json", "device/name"),
        ("status.json", "reason"),
        ("architecture.json", "notation"),
        ("result.json", "verb"),
        ("config.yaml", "seed"),
        ("environment.json", "device/name"),
        ("config.yaml", "signature"),
    ]
    if "source" in json.loads((a.run / "result.json").read_text()):
        where += [("result.json", f"source/{key}") for key in ("label", "name", "kind", "signature", "method")]
    for name, keys in a.draw.sample(where, 2):
        a.set(name, keys, value)
    if a.pick(True, False):
        a.lines(f"label='{value}'", a.pick(f"+x='{value}'", f"strategy.{value}=1"))


def link(a: Attack) -> None:
    name = a.pick(*FILES)
    for found in (a.run / name,):
        found.unlink(missing_ok=True)
        found.symlink_to(a.pick(a.victim / "precious.txt", a.victim / "new.txt"))
    if name != "status.json":
        a.set("status.json", "status", a.pick("interrupted", "running", "failed"))


def special(a: Attack) -> None:
    path = a.run / a.pick("result.json", "config.yaml", "overrides.yaml", "architecture.json", "environment.json")
    path.unlink(missing_ok=True)
    a.pick(lambda: os.mkfifo(path), lambda: path.symlink_to("/dev/zero"), path.mkdir, lambda: path.symlink_to(path))()


def bomb(a: Attack) -> None:
    laughs = "a: &a0 [x, x]\n" + "".join(f"b{i}: &a{i + 1} [*a{i}, *a{i}]\n" for i in range(60))
    name = a.pick("config.yaml", "overrides.yaml")
    (a.run / name).write_text(
        a.pick(
            laughs,
            laughs + "overrides: [*a60]",
            "&x {a: *x}",
            "&x [*x]",
            "!!python/object/apply:os.system [true]",
            "[" * 20_000,
            "a: !!binary aGk=",
            "? [1]\n: 2",
            "- !!set {x}",
            "2024-01-01",
            "- 2024-01-01",
            "\x00",
            "",
            "- {a: b}",
            "a: b",
            "5",
            "- 5",
        )
    )


def pickles(a: Attack) -> None:
    path = a.run / a.pick("checkpoint.pt", "weights.pt")
    (a.run / "checkpoint.previous.pt").unlink(missing_ok=True)
    kind = a.draw.randrange(5)
    if kind == 0:
        torch.save({"sizes": {}, "state": Trap(a.victim / "sprung")}, path)
    elif kind == 1:
        path.write_bytes(pickle.dumps(Trap(a.victim / "sprung")))
    elif kind == 2:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("archive/data.pkl", pickle.dumps({}))
            archive.writestr("archive/data/0", b"\0" * (1 << 24))
    elif kind == 3:
        torch.save({"sizes": {"trials.jsonl": 10**12}, "state": {"estimator": {"x": torch.zeros(1)}}}, path)
    else:
        torch.save(a.pick([1], {}, {"state": None}, {"sizes": 1, "state": {"estimator": [1]}}, "x"), path)
        a.set("status.json", "status", a.pick("interrupted", "finished"))


ATTACKS: tuple[Callable[[Attack], None], ...] = (
    options,
    hydra,
    interpolation,
    interpolation_in_config,
    target_in_overrides,
    target_in_config,
    names,
    names_in_records,
    addresses,
    addresses_in_config,
    sweeps,
    text,
    link,
    special,
    bomb,
    pickles,
)


def make(seed: int, bases: Path, folder: Path, victim: Path) -> str:
    """Make the hostile run ``folder``; return the name of its attack."""
    draw = random.Random(seed)
    attack = ATTACKS[seed % len(ATTACKS)]
    shutil.copytree(bases / draw.choice(("search", "final")), folder)
    (folder / "evil.py").write_text(f"open({str(victim / 'sprung')!r}, 'w')\n\n\nclass Evil:\n    pass\n")
    attack(Attack(folder, victim, draw))
    return attack.__name__
