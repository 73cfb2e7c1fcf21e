"""Files that may be swapped for links while they are read: below a folder that strangers write to none is followed."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO, Final

_BELOW: ContextVar[Path | None] = ContextVar("below", default=None)
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
_AT_ONCE: Final = getattr(os, "O_NONBLOCK", 0)
_FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)


@contextmanager
def no_links_below(folder: Path) -> Iterator[None]:
    """Within the block `open_bytes` follows no link below the folder, where the system can open so."""
    token = _BELOW.set(folder)
    try:
        yield
    finally:
        _BELOW.reset(token)


def open_bytes(file: Path) -> BinaryIO:
    """Raises OSError, also for what is no file of bytes, such as a named pipe that nobody writes to."""
    folder = _BELOW.get()
    if folder is None or not _NO_LINK or not file.is_relative_to(folder):
        return _regular(open(file, "rb", opener=lambda path, flags: os.open(path, flags | _AT_ONCE)))
    try:
        return _regular(_opened_below(folder, file.relative_to(folder).parts))
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise OSError(error.errno, "it is a link or lies behind one, which the inbox does not follow") from None
        raise


def _opened_below(folder: Path, parts: tuple[str, ...]) -> BinaryIO:
    place = os.open(folder, _FOLDER)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _FOLDER | _NO_LINK, dir_fd=place)
            os.close(place)
            place = inner
        at_the_end = place
        return open(
            parts[-1], "rb", opener=lambda name, flags: os.open(name, flags | _NO_LINK | _AT_ONCE, dir_fd=at_the_end)
        )
    finally:
        os.close(place)


def _regular(stream: BinaryIO) -> BinaryIO:
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return stream
    stream.close()
    raise OSError(errno.EINVAL, "it is no regular file; put the file itself there")
