"""Run directories made of nothing but files, in the format that the verbs write."""

import json
from pathlib import Path
from typing import Any

import yaml

GPU = {"type": "cuda", "name": "H100", "count": 1}
CPU = {"type": "cpu", "name": "Xeon", "count": 1}
DAY = 86_400.0
CHOICES = {
    "space": "darts",
    "strategy": "darts",
    "estimator": "supernet",
    "dataset": "cifar10",
    "trainer": "classifier",
    "reward": "accuracy",
    "constraint": None,
}


def run(
    root: Path,
    name: str,
    *,
    status: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    result: dict[str, Any] | None = None,
    overrides: tuple[str, ...] = (),
    trials: tuple[dict[str, Any], ...] = (),
    environment: dict[str, Any] | None = None,
) -> Path:
    """Write a run directory; without ``result`` there is no result.json."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "status.json").write_text(json.dumps(status or {"status": "finished", "reason": None}))
    (folder / "config.yaml").write_text(yaml.safe_dump(config or {}))
    (folder / "overrides.yaml").write_text(yaml.safe_dump(list(overrides)))
    (folder / "environment.json").write_text(json.dumps(environment or {}))
    (folder / "trials.jsonl").write_text("".join(json.dumps(trial) + "\n" for trial in trials))
    if result is not None:
        (folder / "result.json").write_text(json.dumps(result))
    return folder


def search(
    root: Path,
    *,
    signature: str = "aaaa1111",
    seed: int = 0,
    label: str | None = None,
    published: dict[str, str] | None = None,
    choices: dict[str, Any] | None = None,
    overrides: tuple[str, ...] = (),
    trials: tuple[dict[str, Any], ...] = (),
    **result: Any,
) -> Path:
    """Write a finished search; ``result`` replaces parts of its result.json."""
    chosen = {**CHOICES, **(choices or {})}
    config = {"verb": "search", "seed": seed, "choices": chosen, "label": label, "published": published}
    default = {
        "verb": "search",
        "signature": signature,
        "seed": seed,
        "error": 11.11,
        "error_kind": "proxy",
        "params": 3_349_342,
        "macs": 528_400_000,
        "ops": 8,
        "space_size": 1_076_755_812_571_872_400,
        "trials": 50,
        "cost": {"search": 0.375 * DAY, "selection": 0.0, "retrain": 0.0},
        "device": GPU,
        "feasible": None,
        "margin": None,
    }
    return run(
        root,
        f"search/x/{signature}-s{seed}",
        config=config,
        result=default | result,
        overrides=overrides,
        trials=trials,
    )


def retrain(
    root: Path,
    *,
    search_seed: int | None = 0,
    seed: int = 0,
    source: dict[str, Any] | None = None,
    published: dict[str, str] | None = None,
    choices: dict[str, Any] | None = None,
    overrides: tuple[str, ...] = (),
    **result: Any,
) -> Path:
    """Write a finished retraining of a search of signature aaaa1111, or of what ``source`` changes."""
    origin = {
        "kind": "run",
        "name": "outputs/search/x",
        "signature": "aaaa1111",
        "seed": search_seed,
        "choices": CHOICES,
        "label": None,
        "device": GPU,
        "space_size": 1_076_755_812_571_872_400,
    } | (source or {})
    chosen = {**CHOICES, "strategy": None, "estimator": None, **(choices or {})}
    config = {"verb": "retrain", "seed": seed, "choices": chosen, "label": None, "published": published}
    default = {
        "verb": "retrain",
        "signature": "bbbb2222",
        "recipe": "cccc3333",
        "recipe_name": "classifier",
        "seed": seed,
        "error": 3.0,
        "error_kind": "retrained",
        "params": 3_349_342,
        "macs": 528_400_000,
        "ops": 8,
        "cost": {"search": 0.375 * DAY, "selection": 0.0, "retrain": 1.5 * DAY},
        "device": GPU,
        "source": origin,
        "feasible": None,
        "margin": None,
    }
    known = f"{origin['signature'] or origin['name']}-{default | result}"
    name = f"retrain/x/{abs(hash(known)):x}-{search_seed}-s{seed}"
    return run(root, name, config=config, result=default | result, overrides=overrides)


def genotype(name: str = "DARTS_V2", kind: str = "published") -> dict[str, Any]:
    """Return the source of a retraining that no search came before."""
    return {
        "kind": kind,
        "name": name,
        "signature": None,
        "seed": None,
        "choices": None,
        "device": None,
        "space_size": None,
    }
