"""Policy files as they are in force: a changed file is taken up when it is next asked for; one that is refused changes
nothing, and is told of once."""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from engine.shared.errors import HelmdeskError, in_a_line

T = TypeVar("T")
Stamp = tuple[tuple[int, int, int] | None, ...]
"""Per file its identity, time of change (ns) and size; None without the file."""
_POINTER = "in-force"


class InForce(Generic[T]):
    """What `load` makes of one or several files that belong together, kept up to date.

    `get()` looks whether a file changed (identity, time, size; then content) and loads all of them again if so. What
    is refused leaves the last good ones in force; `warn` is told why, once for each refused content. With `keep`, a
    folder, the bytes of the last good ones are kept there as well: a process that starts with a refused file goes on
    with those. Without it, or with nothing kept, the first `get()` raises what `load` raises.
    """

    def __init__(
        self,
        files: Path | tuple[Path, ...],
        load: Callable[..., T],
        *,
        warn: Callable[[str], None],
        keep: Path | None = None,
    ) -> None:
        self._files = (files,) if isinstance(files, Path) else files
        self._load, self._warn, self._keep = load, warn, keep
        self._stamp: Stamp | None = None
        self._content: str | None = None
        self._good: list[T] = []
        self.refusal: str | None = None
        """Why the files, as they were when last looked at, are not what is in force."""
        self._lock = Lock()

    def get(self) -> T:
        """What is in force now. Raises HelmdeskError for a refused file only if there never was a good one."""
        with self._lock:
            stamp = tuple(_stamp(file) for file in self._files)
            if stamp != self._stamp or not self._good:
                self._take_up()
                self._stamp = stamp
            return self._good[0]

    def _take_up(self) -> None:
        bytes_read = [_read(file) for file in self._files]
        content = _digest(bytes_read)
        if content == self._content and self._good:
            return
        try:
            loaded = self._load(*self._files)
        except HelmdeskError as error:
            self._stay(error)
        else:
            if [_read(file) for file in self._files] != bytes_read:
                self._take_up()
                return
            self._good, self.refusal = [loaded], None
            if self._keep is not None:
                _keep(self._keep, content, dict(zip(self._files, bytes_read, strict=True)))
        self._content = content

    def _stay(self, error: HelmdeskError) -> None:
        where, self.refusal = "stays in force", in_a_line(error)
        if not self._good:
            files = None if self._keep is None else _last_good_files(self._keep, self._files)
            if files is None:
                raise error
            try:
                self._good = [self._load(*files)]
            except HelmdeskError:
                raise error from None
            where = f"is in force, as kept in {files[0].parent}"
        self.refusal = f"{in_a_line(error)} The last good version {where}."
        self._warn(self.refusal)


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def _digest(contents: list[bytes | None]) -> str:
    parts = (b"none" if content is None else hashlib.sha256(content).digest() for content in contents)
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def _keep(folder: Path, content: str, files: Mapping[Path, bytes | None]) -> None:
    """All files below a name of their content, and then, in one step, the pointer to it: never half of a change."""
    folder.mkdir(parents=True, exist_ok=True)
    whole, part = folder / content, folder / f".{content}.{os.getpid()}"
    if not whole.is_dir():
        part.mkdir(exist_ok=True)
        for file, text in files.items():
            (part / file.name).write_bytes(text or b"")
        try:
            part.rename(whole)
        except OSError:  # another process kept the same bytes first
            shutil.rmtree(part, ignore_errors=True)
    pointer = folder / f".{_POINTER}.{os.getpid()}"
    pointer.write_text(content, encoding="utf-8")
    pointer.replace(folder / _POINTER)
    for old in folder.iterdir():
        if old.is_dir() and old != whole and not old.name.startswith("."):
            shutil.rmtree(old, ignore_errors=True)


def _last_good_files(folder: Path, files: tuple[Path, ...]) -> tuple[Path, ...] | None:
    """The last good files; None if nothing was kept of files with these names."""
    try:
        content = (folder / _POINTER).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    copies = tuple(folder / content / file.name for file in files)
    return copies if content and all(file.is_file() for file in copies) else None
