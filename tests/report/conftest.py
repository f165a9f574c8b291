"""Where fabricated runs live, and a comparison of them as data."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nasctl.report.command import compare

sys.path.insert(0, str(Path(__file__).parent))  # for fabricate.py, in any import mode of pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an empty folder for runs."""
    folder = tmp_path / "outputs"
    folder.mkdir()
    return folder


@pytest.fixture
def compared(root: Path) -> Callable[..., Any]:
    """Return a function that compares the runs below ``root`` and gives the JSON format's content."""

    def compare_as_json(**options: Any) -> Any:
        return json.loads(compare([str(root)], format="json", **options))

    return compare_as_json
