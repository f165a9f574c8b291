"""Errors of the machine as sentences that say what a user can do: files, memory, depth, encoding."""

from __future__ import annotations

import errno

from nasctl.errors import RequestError, RunError
from nasctl.out_of_memory import first_line, ran_out

NO_ACCESS = "change its permissions or choose another place (paths.outputs=DIR, run_dir=DIR)"
NO_FOLDER = "a file and a folder are mixed up on the way there; move one, or choose another place"
NO_SPACE = "free some space and give the command again to resume"
REMEDIES = {
    errno.EACCES: NO_ACCESS,
    errno.EPERM: NO_ACCESS,
    errno.EROFS: NO_ACCESS,
    errno.ENOTDIR: NO_FOLDER,
    errno.EISDIR: NO_FOLDER,
    errno.EEXIST: NO_FOLDER,
    errno.ENOSPC: NO_SPACE,
    errno.EDQUOT: NO_SPACE,
    errno.EFBIG: NO_SPACE,
    errno.ENOENT: "correct the path",
    errno.ENAMETOOLONG: "shorten it",
    errno.ELOOP: "correct the links on the way there",
    errno.EMFILE: "raise the number of open files (ulimit -n)",
    errno.ENFILE: "close some files",
    errno.EIO: "look after the disk",
}


def in_words(error: BaseException) -> BaseException:
    """Return an error of the machine as `RunError` or `RequestError` of one sentence, others as they are."""
    if ran_out(error):
        return RunError(
            f"out of memory ({first_line(error)}); lower the batch size or the size of the networks, or take a larger "
            "machine, and give the command again"
        )
    if isinstance(error, RecursionError):
        return RequestError("a value is nested too deeply to be read; write it flatter")
    if isinstance(error, UnicodeError):
        return RequestError(f"a name or a text is not in the encoding that was expected ({error}); save it as UTF-8")
    if isinstance(error, OSError) and error.strerror:
        return RunError(_of_a_file(error))
    return error


def _of_a_file(error: OSError) -> str:
    name = error.filename if error.filename is not None else "a file"
    remedy = REMEDIES.get(error.errno or 0, "mend that and give the command again")
    said = error.strerror or str(error)
    return f"{name}: {said[:1].lower()}{said[1:]}; {remedy}"
