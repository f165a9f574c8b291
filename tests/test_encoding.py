"""Text files are read and written in UTF-8, whatever the locale says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "nasctl"
TEXT = ("read_text", "write_text", "open")
BYTES = ("self", "archive", "run", "os", "Image", "gzip", "bz2", "tarfile", "zipfile", "webbrowser")


def calls(path: Path) -> list[ast.Call]:
    """Return what reads or writes text by a path, or by the name of a file, in a module."""
    found = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return [call for call in found if _opens_text(call)]


def _opens_text(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if not owner and name != "open":
        return False  # a function of ours
    if name not in TEXT or owner in BYTES:
        return False  # those of runs write bytes
    modes = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    binary = any("b" in mode and set(mode) <= set("rwabx+") for mode in modes)
    return not binary


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_an_encoding_is_named(path: Path) -> None:
    for call in calls(path):
        assert "encoding" in {keyword.arg for keyword in call.keywords}, f"{path}:{call.lineno}: {ast.unparse(call)}"
