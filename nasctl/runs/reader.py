"""The one way to read a run directory: every file is checked, and every fault is one sentence (file, fault, remedy).

status.json, written last, holds size and hash of the other files. Whatever is read is compared with them; runs without
them, made by older versions or still under way, are not verified. Nothing here imports torch or Hydra.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from nasctl.errors import RequestError
from nasctl.runs import plain, schema, translation
from nasctl.runs.plain import FaultError

Json = Mapping[str, Any]

STATUS, CONFIG, OVERRIDES = "status.json", "config.yaml", "overrides.yaml"
_NOT_HASHED = (STATUS, "lock", "log.txt")
_LARGEST = {".yaml": 2**22, ".json": 2**28}  # bytes of a file that is read as a whole
_LINE = 2**26  # bytes of a line
_PARSERS: Mapping[str, Callable[[bytes], Any]] = {".yaml": plain.of_yaml, ".json": plain.of_json}
REMEDY = "restore it from a copy, or remove {folder} and give the run's command again"


class DamagedError(RequestError):
    """A run directory whose file ``name`` is not what a run wrote; ``reason`` names it below the directory."""

    def __init__(self, folder: Path, name: str, fault: str) -> None:
        remedy = REMEDY.format(folder=folder)
        super().__init__(f"{folder / name}: {fault}; {remedy}")
        self.folder, self.name, self.reason = folder, name, f"{name}: {fault}; {remedy}"


class RunFiles:
    """The files of the run directory ``folder``; each is checked when it is read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def status(self) -> Json:
        """Return the content of status.json."""
        content: Json = self._parsed(STATUS, self._bytes(STATUS))
        return content

    @property
    def verified(self) -> bool:
        """Return whether status.json holds the hashes of the other files."""
        return bool(self.status.get("files"))

    def has(self, name: str) -> bool:
        """Return whether there is a file ``name``, or `DamagedError` if there should be."""
        if (self.folder / name).exists():
            return True
        if name in (self._recorded or {}):
            raise self.damaged(name, "is missing")
        return False

    def read(self, name: str, *needed: str) -> Any:
        """Return the content of a file; `DamagedError` if it is not what a run wrote, or lacks what is ``needed``."""
        data = self.status if name == STATUS else self._of_today(name, self._parsed(name, self._verified_bytes(name)))
        self._judge(name, "", lambda: schema.given(data, needed))
        return data

    def _of_today(self, name: str, data: Any) -> Any:
        """Return settings, and the words of a record, as they are called today; other content as it is."""
        if name == CONFIG:
            return translation.of_config(data)
        if name == OVERRIDES:
            config = self._parsed(CONFIG, self._verified_bytes(CONFIG)) if self.has(CONFIG) else {}
            return translation.of_overrides(data, config)
        return translation.of_record(data)

    def optional(self, name: str, default: Any) -> Any:
        """Return the content of a file, or ``default`` where the run has none."""
        return self.read(name) if self.has(name) else default

    def lines(self, name: str, *needed: str) -> Iterator[Json]:
        """Yield the lines of a .jsonl file, none if it is missing; a last line cut short by a kill ends them."""
        if not self.has(name):
            return
        self.verify(name)
        with self._open(name) as file:
            yield from numbered_lines(self, name, file, needed)

    def verify(self, name: str) -> None:
        """Raise `DamagedError` unless size and hash of a file are those in status.json, where that holds some."""
        if self._recorded is not None:
            with self._open(name) as file:
                self._compare(name, self._size(name), digest(file))

    def _verified_bytes(self, name: str) -> bytes:
        data = self._bytes(name)
        if self._recorded is not None:
            self._compare(name, len(data), hashed(data).hexdigest())
        return data

    def _compare(self, name: str, size: int, found: str) -> None:
        recorded = (self._recorded or {}).get(name)
        if recorded is None:
            raise self.damaged(name, f"{STATUS} holds no hash of it")
        if size != recorded["size"]:
            raise self.damaged(name, f"has {size:,} bytes, but {STATUS} says {recorded['size']:,}")
        if found != recorded["hash"]:
            said = plain.short(recorded["hash"][:10])
            raise self.damaged(name, f"its hash is {found[:10]!r}, but {STATUS} says {said}")

    @cached_property
    def _recorded(self) -> Mapping[str, Json] | None:
        """Return size and hash by file name; None where they are not known."""
        return (self.status.get("files") or None) if (self.folder / STATUS).exists() else None

    def _size(self, name: str) -> int:
        """Return the bytes of a file; `DamagedError` if it is none that can be read."""
        try:
            found = (self.folder / name).stat()
        except FileNotFoundError:
            raise self.damaged(name, "is missing") from None
        except OSError as error:
            raise self.damaged(name, f"cannot be read ({error.strerror})") from error
        if not stat.S_ISREG(found.st_mode):  # reading a pipe would wait for ever
            raise self.damaged(name, "is not a file")
        return found.st_size

    def _open(self, name: str) -> IO[bytes]:
        self._size(name)
        try:
            return (self.folder / name).open("rb")
        except OSError as error:
            raise self.damaged(name, f"cannot be read ({error.strerror})") from error

    def _bytes(self, name: str) -> bytes:
        size, most = self._size(name), _LARGEST[Path(name).suffix]
        if size > most:
            raise self.damaged(name, f"has {size:,} bytes, at most {most:,} are read")
        with self._open(name) as file:
            return file.read()

    def _parsed(self, name: str, data: bytes) -> Any:
        content = self._judge(name, "", lambda: _PARSERS[Path(name).suffix](data))
        self._judge(name, "", lambda: schema.of_file(name)(content, ""))
        return content

    def line(self, name: str, number: int, data: bytes, needed: Sequence[str]) -> Json:
        """Return line ``number`` of a file, or `DamagedError`."""
        content: Json = self._judge(name, f"line {number:,}: ", lambda: plain.of_json(data))

        def check() -> None:
            schema.LINES[name](content, "")
            schema.lack(content, needed)

        self._judge(name, f"line {number:,}: ", check)
        line: Mapping[str, Any] = translation.of_record(content)
        return line

    def _judge(self, name: str, place: str, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except FaultError as fault:
            raise self.damaged(name, f"{place}{fault}") from fault

    def damaged(self, name: str, fault: str) -> DamagedError:
        return DamagedError(self.folder, name, fault)


def numbered_lines(files: RunFiles, name: str, file: IO[bytes], needed: Sequence[str]) -> Iterator[Json]:
    number = 0
    while data := file.readline(_LINE):
        number += 1
        if data.endswith(b"\n"):
            yield files.line(name, number, data, needed)
        elif len(data) == _LINE:
            raise files.damaged(name, f"line {number:,}: longer than {_LINE:,} bytes")


def finished(folder: Path, *needed: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return result.json, with the keys ``needed``, and config.yaml of a finished run, or raise `RequestError`."""
    files = RunFiles(folder)
    if not (folder / STATUS).is_file():
        raise RequestError(f"{folder}: not a run directory; name one below outputs/ (nasctl ls runs shows them)")
    status = files.status["status"]
    if status != "finished":
        raise RequestError(f"{folder}: the run is {status}, not finished; give its command again to resume it")
    config = files.read("config.yaml", "signature", "seed", "choices", "paths", "space", "dataset")
    return files.read("result.json", *needed), config


def phases(folder: Path, result: Json, what: str) -> Mapping[str, float]:
    """Return what a result says of search, selection and retraining, or raise `DamagedError` if one is missing."""
    missing = [name for name in ("search", "selection", "retrain") if name not in result[what]]
    if missing:
        raise DamagedError(folder, "result.json", f"{what} lacks {', '.join(missing)}")
    found: Mapping[str, float] = result[what]
    return found


def contents(folder: Path) -> dict[str, dict[str, Any]]:
    """Return size and hash of each file of a run, for status.json."""
    named = sorted(path for path in folder.iterdir() if path.name[0] != "." and path.name not in _NOT_HASHED)
    found = {}
    for path in named:
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                found[path.name] = {"size": path.stat().st_size, "hash": digest(file)}
    return found


def hashed(data: bytes = b"") -> Any:
    """Return a hash of ``data`` that can be gone on with."""
    return hashlib.blake2b(data, digest_size=16)


def digest(file: IO[bytes]) -> str:
    """Return the hash of what is left of an open file."""
    return hashlib.file_digest(file, hashed).hexdigest()  # type: ignore[arg-type]
