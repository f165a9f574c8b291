"""The states of a search's children, in the folder children/ of its run directory, by the index of the trial."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from nasctl.core import State
from nasctl.errors import RequestError
from nasctl.files import make_folder, write_whole
from nasctl.runs import tensors
from nasctl.runs.plain import FaultError
from nasctl.runs.reader import DamagedError
from nasctl.symlinks import refuse_links

FOLDER = "children"


class Children:
    """Files INDEX.pt, each written whole; one is deleted once neither of the two checkpoints kept needs it."""

    def __init__(self, run: Path) -> None:
        self.run, self.wanted = run, False
        self._needed: set[int] | None = None  # by the state that the next checkpoint saves; None: not known
        self._needed_before: set[int] | None = None  # by the last checkpoint

    def _path(self, index: int) -> Path:
        return self.run / FOLDER / f"{index}.pt"

    def save(self, index: int, state: State) -> None:
        import torch

        make_folder(self.run / FOLDER)
        refuse_links(self.run / FOLDER)
        write_whole(self._path(index), lambda file: torch.save(state, file))

    def load(self, index: int) -> State:
        path = self._path(index)
        if not path.exists():
            raise RequestError(
                f"strategy: a candidate names trial {index}, whose training state is not in {path.parent}; list it in "
                "needed_states, and name no trial that failed"
            )
        try:
            found: State = tensors.load(path)
        except FaultError as fault:
            raise DamagedError(self.run, f"{FOLDER}/{path.name}", str(fault)) from fault
        return found

    def retain(self, indexes: Collection[int]) -> None:
        self._needed = set(indexes)

    def checkpointed(self) -> None:
        """Delete what neither the checkpoint that was just written nor the one before it needs."""
        now, before = self._needed, self._needed_before
        self._needed_before = None if now is None else set(now)
        if now is None or before is None:
            return
        for path in (self.run / FOLDER).glob("[0-9]*.pt"):
            if path.stem.isdecimal() and int(path.stem) not in now | before:
                path.unlink(missing_ok=True)
