"""Checkpoints and weights from a stranger's file: no code, no bombs."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from nasctl.runs.plain import FaultError
from nasctl.runs.tensors import load
from tests.hostile import Trap
from tests.small import same


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    state = {"x": torch.arange(5), "n": [1, None, "a"], "t": torch.zeros(3).expand(4, 3), "e": torch.zeros(0)}
    torch.save(state, tmp_path / "x.pt")
    assert same(load(tmp_path / "x.pt"), state)


@pytest.mark.parametrize("form", ["torch", "old torch", "pickle"])
def test_no_pickle_is_run(form: str, tmp_path: Path) -> None:
    trap, path = Trap(tmp_path / "sprung"), tmp_path / "x.pt"
    if form == "pickle":
        path.write_bytes(pickle.dumps(trap))
    else:
        torch.save({"state": trap}, path, _use_new_zipfile_serialization=form == "torch")
    with pytest.raises(FaultError, match="cannot be read"):
        load(path)
    assert not (tmp_path / "sprung").exists()


def test_a_packed_file_is_refused(tmp_path: Path) -> None:
    torch.save({"x": torch.zeros(1 << 20)}, tmp_path / "x.pt")
    with (
        zipfile.ZipFile(tmp_path / "x.pt") as whole,
        zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in whole.namelist():
            bomb.writestr(name, whole.read(name))
    assert (tmp_path / "bomb.pt").stat().st_size < 1 << 16
    with pytest.raises(FaultError, match=r"is packed, which torch\.save does not do"):
        load(tmp_path / "bomb.pt")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"x" * 1000, b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(content)
    with pytest.raises(FaultError):
        load(tmp_path / "x.pt")


def test_devices_and_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "zero").symlink_to("/dev/zero")
    for path in (tmp_path / "zero", tmp_path, tmp_path / "missing"):
        with pytest.raises(FaultError, match="is no regular file"):
            load(path)
