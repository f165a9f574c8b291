"""The lines of a .jsonl file, as a test reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the lines that end; one cut short by a kill is left out."""
    return [json.loads(line) for line in path.read_bytes().splitlines(True) if line.endswith(b"\n")]
