"""The few ways a request can be wrong; each says what, which and what to do next.

`pipelines.cli` maps every kind to an exit code in one place. Anything else that is raised is a bug and stays loud.
"""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager


class HelmdeskError(Exception):
    """Base of all errors meant for people: printed as one line, without a traceback. `way_out` names the operation of
    the desk that leads on from here, such as `ticket accept`."""

    def __init__(self, message: str = "", *, way_out: str | None = None) -> None:
        super().__init__(message)
        self.way_out = way_out


class NotAllowed(HelmdeskError):
    """A rule of the desk forbids it: wrong actor, wrong state, wrong moment."""


class NotFound(HelmdeskError):
    """There is no such ticket, agent, group or file."""


class Conflict(HelmdeskError):
    """Somebody else was faster: load again and decide again."""


class BadInput(HelmdeskError):
    """A file, row, column, policy or setting that can't be used; nothing of it was applied."""


class Unavailable(HelmdeskError):
    """A real part (database, index, model, server) does not answer; says which and the embedded alternative."""


class Busy(HelmdeskError):
    """Somebody else does this work on this store now; says who since when, and nothing was done."""


class RuleBroken(HelmdeskError):
    """A table that was to be published is not as its rules say; says which rule and rows, and nothing was published."""


class StageFailed(HelmdeskError):
    """A stage of a cycle failed while the others ran; `place` is that of the first one, from 0."""

    def __init__(self, message: str, *, place: int) -> None:
        super().__init__(message)
        self.place = place


def in_a_line(error: Exception) -> str:
    """What it says, on one line; a bug's kind before it."""
    text = " ".join(str(error).split())
    return text if isinstance(error, HelmdeskError) else f"{type(error).__name__} {text}"


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR}
_FAILING = {errno.EIO, errno.EMFILE, errno.ENFILE}


@contextmanager
def translate_file_errors(what: str, *, is_written: bool = False) -> Iterator[None]:
    """A full, failing or forbidden disk as Unavailable: `what` can't be done, why, what to do. Other errors pass.

    Where tables alone are written, `is_written`, Polars' `transport error` is a footer that found no room.
    """
    try:
        yield
    except HelmdeskError:
        raise
    except Exception as error:
        number = errno.ENOSPC if is_written and "thrift: transport error" in str(error) else _number(error)
        if number not in _FULL | _REFUSED | _FAILING:
            raise
        where = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
        raise Unavailable(f"{what}: {os.strerror(number)}{where}; {_remedy(number)}") from error


def _number(error: Exception) -> int | None:
    """Polars and Arrow name the system's error in their text alone."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    named = re.search(r"\(os error (\d+)\)", str(error))
    return int(named[1]) if named else None


def _remedy(number: int) -> str:
    if number in _FULL:
        return "make room on the disk and run it again"
    if number in _REFUSED:
        return "change what stands there or its permissions, or name another HELMDESK_HOME"
    return "see to the disk and the machine, and run it again"
