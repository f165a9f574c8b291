"""What a run was made with: versions, commit, device, threads, data."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from nasctl import __version__
from nasctl.errors import RequestError

PACKAGES = ("torch", "torchvision", "hydra-core", "omegaconf", "pydantic", "scikit-learn")


def describe(device: torch.device, data: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of environment.json."""
    return {
        "nasctl": __version__,
        "git": git(),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "platform": platform.platform(),
        "device": device_record(device),
        "threads": torch.get_num_threads(),
        "data": dict(data),
        "command": sys.argv,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@cache  # the code of a process is that of its start
def git() -> dict[str, str] | None:
    """Return commit and uncommitted changes of the checkout that this package lies in; None outside one."""
    here = Path(__file__).resolve()
    if _git(here, "ls-files", "--error-unmatch", here.name) is None:
        return None
    return {
        "commit": (_git(here, "rev-parse", "HEAD") or "").strip(),
        "diff": _git(here, "diff", "HEAD", "--", ":/") or "",
    }


def _git(here: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(here.parent), *arguments], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def device_record(device: torch.device) -> dict[str, Any]:
    """Return type, name and count of the device that a run uses."""
    name = (
        torch.cuda.get_device_name(device) if device.type == "cuda" else f"{_cpu()}, {torch.get_num_threads()} threads"
    )
    return {"type": device.type, "name": name, "count": 1}


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()


def choose_device(name: str) -> torch.device:
    """Return the device that ``name`` asks for; ``auto`` takes a GPU where there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise RequestError(f"device={name}: not a device; use auto, cpu, cuda or cuda:1") from error
    if device.type not in ("cpu", "cuda"):
        raise RequestError(f"device={name}: not supported; use auto, cpu, cuda or cuda:1")
    if device.type == "cuda":
        _check_gpu(name, device.index or 0)
        torch.cuda.set_device(device.index or 0)  # what is synchronised when costs are taken
    return device


def _check_gpu(name: str, index: int) -> None:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if index >= count:
        raise RequestError(f"device={name}: torch finds {count} GPUs here; use device=auto or device=cpu")
