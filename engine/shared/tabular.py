"""Files of rows that people keep, as text: what can't be read is refused with its file, its line and the remedy."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.shared.errors import BadInput


def is_packed(file: Path) -> bool:
    return file.suffix.lower() == ".gz"


def utf8_text(file: Path) -> str:
    """Without a byte order mark, unpacked if it ends in .gz. Raises BadInput with the line for another encoding."""
    content = b""
    try:
        content = gzip.decompress(file.read_bytes()) if is_packed(file) else file.read_bytes()
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{file.name}, line {line}: is not UTF-8; save it as UTF-8") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadInput(f"{file.name} can't be unpacked ({error}); pack it again") from None
    except OSError as error:
        raise BadInput(f"{file} can't be opened: {error.strerror}") from None


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
