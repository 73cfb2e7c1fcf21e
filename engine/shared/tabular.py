"""Files of rows that people keep, as text, lines or cells: one that can't be read is refused with the remedy, and none
takes more memory than a row of the largest size needs."""

import codecs
import csv
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO, cast

from engine.shared.errors import BadInput
from engine.shared.no_links import open_bytes

LARGEST_ROW: Final = 16 * 1024 * 1024
"""Characters of one row, its line ends and marks among them."""
LARGEST_FILE: Final = 2 * 1024**3
"""Bytes of a file that is read row by row, unpacked."""
LARGEST_DOCUMENT: Final = 128 * 1024**2
"""Bytes of a file that is held whole (a JSON document, a workbook), unpacked."""
LARGEST_RATIO: Final = 100
"""How many times its packed size any STRETCH of a file may unpack to; event logs reach 30."""
STRETCH: Final = 32 * 1024**2

DELIMITERS: Final = ",;\t|"
SEP_LINE: Final = re.compile(r'"?sep=(?P<delimiter>.)"?\s*', re.IGNORECASE)
"""What Excel writes and reads above the header."""


def is_packed(file: Path) -> bool:
    return file.suffix.lower() == ".gz"


@contextmanager
def readable(file: Path, encoding: str = "utf-8") -> Iterator[None]:
    """Turns everything that can be wrong with a file into BadInput that says what to do."""
    try:
        yield
    except FileNotFoundError:
        raise BadInput(f"{file}: there is no such file; check the path") from None
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
        raise BadInput(f"{file} can't be unpacked, it is cut off or damaged ({error}); fetch it again") from error
    except UnicodeError as error:
        raise BadInput(
            f"{file}: not {encoding} text ({error}); "
            "set `encoding` in the mapping, for instance cp1252 or utf-16, or export as UTF-8"
        ) from error
    except OSError as error:
        raise BadInput(f"{file}: can't be read: {error.strerror or error}") from error


def name_within(file: Path) -> str:
    """The name that tells the form of a file: that of the only file in a .zip, and without .gz. Raises BadInput for a
    .zip with none or several; those that systems add (`__MACOSX`, names with a dot first) do not count."""
    name = file.name.casefold()
    if name.endswith(".zip"):
        with readable(file), open_bytes(file) as raw, zipfile.ZipFile(raw) as archive:
            name = _only(archive, file).filename.rpartition("/")[2].casefold()
    return name.removesuffix(".gz")


def bytes_of(file: Path, most: int = LARGEST_FILE) -> BinaryIO:
    """The file's bytes, unpacked if it ends in .gz or .zip; reading on past `most` raises BadInput."""
    raw = open_bytes(file)
    if file.suffix.lower() == ".zip":
        archive = zipfile.ZipFile(raw)
        member = _only(archive, file)
        stream = cast("BinaryIO", archive.open(member))
        if member.filename.lower().endswith(".gz"):
            stream = cast("BinaryIO", gzip.open(stream))  # noqa: SIM115
    elif is_packed(file):
        stream = cast("BinaryIO", gzip.open(raw))  # noqa: SIM115
    elif file.stat().st_size > most:
        raw.close()
        raise _too_large(file, f"is larger than {most >> 20:,} MB")
    else:
        return raw
    return io.BufferedReader(_Unpacked(stream, file, raw, most), 1 << 20)


def text_of(file: Path, encoding: str = "utf-8") -> TextIO:
    """The file's text, unpacked; a byte order mark is no part of it. Line ends are kept."""
    codec = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    return io.TextIOWrapper(bytes_of(file), encoding=codec, newline="")


def whole(file: Path) -> bytes:
    """All of it, unpacked. Raises BadInput if that is more than LARGEST_DOCUMENT."""
    with readable(file), bytes_of(file, LARGEST_DOCUMENT) as stream:
        content = stream.read(LARGEST_DOCUMENT + 1)
    if len(content) > LARGEST_DOCUMENT:
        raise _too_large(file, f"is larger than {LARGEST_DOCUMENT >> 20} MB")
    return content


def utf8_text(file: Path) -> str:
    """All of it, as `text_of`. Raises BadInput with the line for another encoding."""
    content = whole(file)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{file.name}, line {line}: is not UTF-8; save it as UTF-8") from None


class Lines:
    """The lines of a text. Raises BadInput when more than LARGEST_ROW came since `row` was last set to 0."""

    def __init__(self, text: TextIO, name: object) -> None:
        self.text, self.name = text, name
        self.row, self.number, self.ahead = 0, 0, ""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line, self.ahead = self.ahead or self.text.readline(LARGEST_ROW + 1), ""
        if not line:
            raise StopIteration
        self.row += len(line)
        self.number += 1
        if self.row > LARGEST_ROW:
            raise _too_large(
                self.name,
                f"line {self.number}: is in a row of more than {LARGEST_ROW >> 20} MB, or a quotation mark is open",
            )
        return line

    def first(self) -> str:
        """The next line, which stays the next."""
        self.ahead = self.ahead or self.text.readline(LARGEST_ROW + 1)
        return self.ahead

    def skip(self, count: int) -> None:
        for _ in zip(range(count), self, strict=False):
            self.row = 0


def lines(file: Path, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    """The lines that are not blank, each with its number. Raises BadInput if the file can't be read to its end."""
    with readable(file, encoding), text_of(file, encoding) as text:
        found = Lines(text, file)
        for line in found:
            found.row = 0
            if line.strip():
                yield found.number, line


def json_lines(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file of JSON lines with the number of each line; a blank line is none. Raises BadInput as
    `utf8_text`, and for a line that is no object."""
    for number, line in enumerate(utf8_text(file).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise BadInput(f"{file.name}, line {number}: is no JSON object; each line is one")
        yield number, row


def records(text: TextIO, name: object, delimiter: str, *, skip: int = 0) -> Iterator[tuple[int, list[str]]]:
    """The line that each record begins on and its cells, as RFC 4180 has them; a blank line is none. Excel's `sep=`
    line tells the delimiter, `skip` more lines come before the records. Raises BadInput with the line, since a
    quotation mark left open swallows all that follows."""
    csv.field_size_limit(max(csv.field_size_limit(), LARGEST_ROW))
    given = Lines(text, name)
    if named := SEP_LINE.fullmatch(given.first()):
        delimiter = named["delimiter"]
        given.skip(1)
    given.skip(skip)
    reader = csv.reader(given, delimiter=delimiter, strict=True)
    line = given.number + 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            given.row, line = 0, given.number + 1
    except csv.Error:
        reason = "has a quotation mark that is not closed or stands within a quoted cell"
        raise BadInput(f'{name}, line {line}: {reason}; close it, and write one within as ""') from None


class _Unpacked(io.RawIOBase):
    """A stream that ends in BadInput when too much comes out of it."""

    def __init__(self, stream: BinaryIO, file: Path, raw: BinaryIO, most: int) -> None:
        self.stream, self.file, self.raw, self.most = stream, file, raw, most
        self.count, self.stretch_at, self.packed_at = 0, 0, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self.stream.read(len(buffer))
        buffer[: len(part)] = part
        self.count += len(part)
        if self.count > self.most:
            raise _too_large(self.file, f"unpacks to more than {self.most >> 20:,} MB")
        if self.count - self.stretch_at > STRETCH:
            if self.count - self.stretch_at > LARGEST_RATIO * (self.raw.tell() - self.packed_at):
                raise _too_large(self.file, f"unpacks to more than {LARGEST_RATIO} times its size, as no table does")
            self.stretch_at, self.packed_at = self.count, self.raw.tell()
        return len(part)

    def close(self) -> None:
        self.stream.close()
        self.raw.close()
        super().close()


def _too_large(name: object, why: str) -> BadInput:
    where = f"{name}, {why}" if why.startswith("line") else f"{name}: {why}"
    return BadInput(f"{where}; split it, or export less at a time")


def _only(archive: zipfile.ZipFile, file: Path) -> zipfile.ZipInfo:
    names = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not member.filename.startswith("__MACOSX/")
        if not member.filename.rpartition("/")[2].startswith(".")
    ]
    if len(names) != 1:
        raise BadInput(f"{file}: has {len(names)} files in it, and is read with exactly one; unpack it into a folder")
    if names[0].flag_bits & 1 or names[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadInput(f"{file}: is locked by a password or packed in a rare way; unpack it and give what is in it")
    return names[0]
