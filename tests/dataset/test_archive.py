"""Archives that somebody else packed: plain files below the folder, so many of them, so many bytes."""

import io
import tarfile
import zipfile

import pytest

from nasctl.dataset import _archive
from nasctl.dataset._archive import untar, unzip
from nasctl.errors import RunError


def packed(path, *members):
    """Write a tar archive of (name, kind, link or content)."""
    with tarfile.open(path, "w:gz") as archive:
        for name, kind, what in members:
            member = tarfile.TarInfo(name)
            member.type = kind
            content = what.encode() if kind == tarfile.REGTYPE else b""
            member.size, member.linkname = len(content), "" if content else what
            archive.addfile(member, io.BytesIO(content))
    return path


def test_plain_files_are_unpacked(tmp_path):
    members = [("data", tarfile.DIRTYPE, ""), ("data/a", tarfile.REGTYPE, "one"), ("./b", tarfile.REGTYPE, "two")]
    untar(packed(tmp_path / "x.tar.gz", *members), tmp_path / "to")
    assert (tmp_path / "to/data/a").read_text() == "one" and (tmp_path / "to/b").read_text() == "two"


@pytest.mark.parametrize(
    "name, kind, what",
    [
        ("../x", tarfile.REGTYPE, "bad"),
        ("a/../../x", tarfile.REGTYPE, "bad"),
        ("/tmp/nasctl-evil", tarfile.REGTYPE, "bad"),
        ("x", tarfile.SYMTYPE, "/etc/passwd"),
        ("x", tarfile.SYMTYPE, "y"),
        ("x", tarfile.LNKTYPE, "../victim"),
        ("x", tarfile.CHRTYPE, ""),
        ("x", tarfile.BLKTYPE, ""),
        ("x", tarfile.FIFOTYPE, ""),
    ],
)
def test_a_member_that_is_no_plain_file_below_its_folder_is_refused(name, kind, what, tmp_path):
    (tmp_path / "victim").write_text("precious")
    with pytest.raises(RunError, match="is no plain file below its folder"):
        untar(packed(tmp_path / "x.tar.gz", (name, kind, what)), tmp_path / "to")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "to") == ["victim", "x.tar.gz"]


def test_a_link_that_lies_there_is_not_followed(tmp_path):
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "data").symlink_to(tmp_path)
    with pytest.raises(RunError, match="is no plain file below its folder"):
        untar(packed(tmp_path / "x.tar.gz", ("data/victim", tarfile.REGTYPE, "bad")), tmp_path / "to")
    assert (tmp_path / "victim").read_text() == "precious"


def test_limits_on_members_and_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(_archive, "MEMBERS", 3)
    monkeypatch.setattr(_archive, "BYTES", 100)
    many = [(f"f{i}", tarfile.REGTYPE, "x") for i in range(4)]
    for members in (many, [("a", tarfile.REGTYPE, "x" * 60), ("b", tarfile.REGTYPE, "x" * 60)]):
        with pytest.raises(RunError, match="holds more than"):
            untar(packed(tmp_path / "x.tar.gz", *members), tmp_path / "to")


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b damaged"])
def test_what_is_no_archive_is_one_sentence(content, tmp_path):
    (tmp_path / "x.tar.gz").write_bytes(content)
    with pytest.raises(RunError, match=r"x\.tar\.gz: cannot be unpacked"):
        untar(tmp_path / "x.tar.gz", tmp_path / "to")
    with pytest.raises(RunError, match="cannot be unpacked"):
        unzip(content, ["a"])


def test_a_zip_bomb_is_refused(monkeypatch):
    monkeypatch.setattr(_archive, "BYTES", 1 << 16)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("d/a", b"x" * 40_000)
        archive.writestr("d/b", b"\0" * 40_000)
    assert unzip(file.getvalue(), ["d/a"]) == {"a": b"x" * 40_000}
    with pytest.raises(RunError, match="d/b unpacks to more than"):
        unzip(file.getvalue(), ["d/a", "d/b"])
    with pytest.raises(RunError, match="cannot be unpacked"):
        unzip(file.getvalue(), ["d/c"])
