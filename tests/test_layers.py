"""The rooms: arrows between them point one way, and every module has a YAML of its name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, CONF = ROOT / "nasctl", ROOT / "conf"
FLOOR = (
    *("core", "digest", "errors", "files", "hidden_state", "out_of_memory", "seeds", "signals", "symlinks"),
    *("system_errors", "task_kinds", "terminal_text", "walk"),
)  # nothing of the program above them
COMMON = (*FLOOR, "acceleration", "genotype_format", "layers")  # what every room may import
GROUPS = ("space", "strategy", "estimator", "dataset", "trainer", "reward", "constraint", "resource", "executor")


def imported(path: Path) -> set[str]:
    """Return the nasctl modules that a file imports, as dotted names below nasctl."""
    tree = ast.parse(path.read_text())
    names = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return {name.removeprefix("nasctl.") for name in names if name.startswith("nasctl.")}


ALSO = {"estimator": ("trainer",)}  # an estimator trains, and shares the evaluation loop


@pytest.mark.parametrize("room", GROUPS)
def test_a_room_knows_the_vocabulary_and_itself(room: str) -> None:
    for path in (PACKAGE / room).rglob("*.py"):
        others = {name for name in imported(path) if name.split(".")[0] not in (*COMMON, room, *ALSO.get(room, ()))}
        assert not others, f"{path} imports {others}"


@pytest.mark.parametrize("room", ["acceleration", "genotype_format", "layers"])
def test_a_common_room_knows_the_floor_only(room: str) -> None:
    for path in (PACKAGE / room).glob("*.py"):
        assert {name.split(".")[0] for name in imported(path)} <= {*FLOOR, room}


def test_genotype_formats_do_not_import_torch() -> None:
    assert not any("torch" in third_party(path) for path in (PACKAGE / "genotype_format").glob("*.py"))


@pytest.mark.parametrize("module", ["search/loop.py", "search/feasible.py", "retrain.py", "runs/directory.py"])
def test_the_loop_knows_protocols_only(module: str) -> None:
    assert {name.split(".")[0] for name in imported(PACKAGE / module)} <= set(FLOOR) | {"runs", "search"}


@pytest.mark.parametrize("module", FLOOR)
def test_the_floor_imports_nothing_above(module: str) -> None:
    package = PACKAGE / module
    for path in package.glob("*.py") if package.is_dir() else [PACKAGE / f"{module}.py"]:
        own = {module} if package.is_dir() else set()
        assert {name.split(".")[0] for name in imported(path)} <= set(FLOOR) - {module} | own


def test_report_reads_files_only() -> None:
    for path in (PACKAGE / "report").rglob("*.py"):
        names = imported(path)
        assert {name.split(".")[0] for name in names} <= {*FLOOR, "command_line", "report", "runs"}
        assert all(name.startswith("runs.reader") for name in names if name.startswith("runs"))
        assert "import torch" not in path.read_text()


@pytest.mark.parametrize("module", ["plain", "schema", "reader"])
def test_runs_are_read_without_torch_and_hydra(module: str) -> None:
    path = PACKAGE / "runs" / f"{module}.py"
    assert {name.split(".")[0] for name in imported(path)} <= {"core", "errors", "seeds", "runs"}
    assert not third_party(path) & {"torch", "hydra", "omegaconf", "pydantic"}


def test_only_config_knows_hydra() -> None:
    knowing = {p.name for p in PACKAGE.rglob("*.py") if "hydra" in {m for m in third_party(p)}}
    assert knowing == {"compose.py"}


def third_party(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    found = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    found |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return {name.split(".")[0] for name in found}


def groups() -> list[str]:
    """Return the groups and the nested ones, such as strategy/policy."""
    nested = {str(file.parent.relative_to(CONF)) for group in GROUPS for file in (CONF / group).rglob("*.yaml")}
    return sorted(nested | set(GROUPS))


@pytest.mark.parametrize("group", groups())
def test_every_choice_has_a_module_and_a_yaml(group: str) -> None:
    modules = {p.stem for p in (PACKAGE / group).iterdir() if p.stem[0] != "_" and (p.suffix == ".py" or _package(p))}
    texts = {path: path.read_text() for path in (CONF / group).glob("*.yaml")}
    named = {p.stem for p in (CONF / group).iterdir()}
    chosen = {target for text in texts.values() for target in TARGET.findall(text)}
    dotted = f"nasctl.{group.replace('/', '.')}."
    modules -= {target.removeprefix(dotted).split(".")[0] for target in chosen}
    assert modules <= named, f"no YAML for {modules - named}"
    for path, text in texts.items():
        assert text.startswith("# "), f"{path} does not say what it is"
        assert f"_target_: {dotted}" in text or "defaults:" in text


TARGET = re.compile(r"^_target_: (\S+)$", re.MULTILINE)


def _package(path: Path) -> bool:
    return (path / "__init__.py").exists()


@pytest.mark.parametrize("folder", ["utils", "common", "helpers", "misc"])
def test_there_is_no_room_without_a_noun(folder: str) -> None:
    assert not list(PACKAGE.rglob(f"{folder}*"))


def test_constructors_have_no_default_hyperparameters() -> None:
    for group in GROUPS:
        for path in (PACKAGE / group).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef) and node.name == "__init__":
                    assert not [d for d in node.args.kw_defaults if d is not None], path


def asked_by_name(path: Path) -> set[str]:
    """Return the literal names that a file asks objects for by getattr or hasattr."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    asked = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id in ("getattr", "hasattr") and c.args[1:]]
    return {str(c.args[1].value) for c in asked if isinstance(c.args[1], ast.Constant)}


FOREIGN = {
    "runs/plain.py": {"CSafeLoader", "tag"},  # of PyYAML
    "space/ffn/stack.py": {"tables"},  # buffers that torch registers
    "describe.py": {"auxiliary"},  # of any network, also a user's own
    "trainer/classifier.py": {"auxiliary", "drop_path", "dropout"},
    "trainer/language_model.py": {"compile_step"},
}
"""Names that are asked for outside config: of foreign objects, and of networks, which are torch modules of any kind."""


def test_no_capability_is_asked_by_name() -> None:
    found = {str(p.relative_to(PACKAGE)): asked_by_name(p) for p in PACKAGE.rglob("*.py") if p.parent.name != "config"}
    assert {path: names for path, names in found.items() if names - FOREIGN.get(path, set())} == {}


MOST_METHODS = 12
LARGE = {
    "Configuration": "what a verb reads of a composed configuration, a property each",
    "BinaryClassification": "splits and objective of a Dataset",
    "ImageFolder": "splits and objective of a Dataset",
    "LanguageModelling": "splits and objective of a Dataset",
    "Supernet": "an Estimator with WeightSharing, and the steps of both levels",
    "Stacked": "an Estimator, and the training of a group",
    "Table": "an Estimator with LookUp, Covering and the protocols of its class",
    "Latency": "a Resource that is measured and kept",
    "Run": "a run directory: written by runs, read by report",
    "RunFiles": "the guarded reader, a method a file",
    "Search": "the loop and what it records",
    "Selection": "the loop of select",
    "ByHand": "the whole of a SearchSpace",
    "Darts": "the whole of a SearchSpace",
    "FFN": "the whole of a SearchSpace",
    "NasBench201": "the whole of a SearchSpace",
    "NatsSize": "the whole of a SearchSpace",
    "TrainingChoices": "the whole of a SearchSpace, handed on",
    "Lstm": "a policy: sampling and scoring of walks",
    "Reinforce": "a Strategy that has a policy and a mass",
    "Classifier": "a Trainer",
}
"""Classes of more than twelve methods, and their one subject."""


def test_a_class_of_many_methods_has_one_subject_that_is_named() -> None:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        classes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]
        found |= {c.name for c in classes if sum(isinstance(n, ast.FunctionDef) for n in c.body) > MOST_METHODS}
    assert found <= set(LARGE), found - set(LARGE)
