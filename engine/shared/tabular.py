"""Files of rows that people keep, as text, lines or cells: one that can't be read is refused with the remedy."""

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO, cast

from engine.shared.errors import BadInput

LONGEST_CELL: Final = 16 * 1024 * 1024
"""Characters; the csv module's own limit of 131,072 would refuse a long description."""


def is_packed(file: Path) -> bool:
    return file.suffix.lower() == ".gz"


@contextmanager
def readable(file: Path, encoding: str = "utf-8") -> Iterator[None]:
    """Turns everything that can be wrong with a file into BadInput that says what to do."""
    try:
        yield
    except FileNotFoundError:
        raise BadInput(f"{file}: there is no such file; check the path") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadInput(f"{file} can't be unpacked, it is cut off or damaged ({error}); fetch it again") from error
    except UnicodeError as error:
        raise BadInput(
            f"{file}: not {encoding} text ({error}); "
            "set `encoding` in the mapping, for instance cp1252 or utf-16, or export as UTF-8"
        ) from error
    except OSError as error:
        raise BadInput(f"{file}: can't be read: {error.strerror or error}") from error


def text_of(file: Path, encoding: str = "utf-8") -> TextIO:
    """The file's text, unpacked if it ends in .gz; a byte order mark is no part of it. Line ends are kept."""
    codec = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    return io.TextIOWrapper(_bytes_of(file), encoding=codec, newline="")


def utf8_text(file: Path) -> str:
    """All of it, as `text_of`. Raises BadInput with the line for another encoding."""
    with readable(file), _bytes_of(file) as stream:
        content = stream.read()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{file.name}, line {line}: is not UTF-8; save it as UTF-8") from None


def lines(file: Path, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
    """The lines that are not blank, each with its number. Raises BadInput if the file can't be read to its end."""
    with readable(file, encoding), text_of(file, encoding) as text:
        yield from ((number, line) for number, line in enumerate(text, start=1) if line.strip())


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


def records(text: Iterable[str], name: object, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The line that each record begins on and its cells, as RFC 4180 has them; a blank line is none. Raises BadInput
    with that line, since a quotation mark left open swallows all that follows."""
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error:
        reason = "has a quotation mark that is not closed or stands within a quoted cell"
        raise BadInput(f'{name}, line {line}: {reason}; close it, and write one within as ""') from None


def _bytes_of(file: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(file)) if is_packed(file) else file.open("rb")
