"""The form of a file: its text encoding, its dialect, the lines above its header, the array within its JSON."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from engine.plugins.tables import SUFFIXES
from engine.shared.errors import BadInput
from engine.shared.tabular import readable

DELIMITERS = (",", ";", "\t", "|")
LOOKED_AT = 1 << 20
"""Bytes from which encoding and dialect are told."""
SNIFFED = 20_000
"""Characters of them that the dialect is told from."""
LONGEST_TITLE = 20
"""Lines above a header that are looked at."""
ENCODINGS = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp932", "gb18030", "euc_kr", "big5")
"""What text that is not Unicode is told apart into; of two that fit equally well the earlier."""


class Form(NamedTuple):
    """How a file is opened, in the words of a mapping."""

    kind: str
    """csv, json, json lines, parquet, sheet, xes or zip."""
    encoding: str = "utf-8"
    delimiter: str = ","
    skip_rows: int = 0
    sheet: str | None = None
    records: str | None = None
    """The path of the array within the JSON."""
    guessed_encoding: bool = False
    """Whether the bytes fit more than one encoding."""

    def opening(self) -> dict[str, Any]:
        """What differs from the usual, as keys of a mapping."""
        keys = ("encoding", "delimiter", "skip_rows", "sheet", "records")
        return {key: value for key in keys if (value := getattr(self, key)) != Form._field_defaults[key]}


def form_of(path: Path) -> Form:
    """How a file is opened. Raises BadInput for one that is none of the forms, with what to do."""
    name = path.name.casefold()
    with readable(path):
        if path.is_dir() or not name.endswith(SUFFIXES):
            raise BadInput(f"{path}: not a table that can be read; expected a file named *{', *'.join(SUFFIXES)}")
        if path.stat().st_size == 0:
            raise BadInput(f"{path}: the file is empty; export it again")
    bare = name.removesuffix(".gz")
    if bare.endswith((".csv", ".tsv", ".txt")):
        return _csv(path, fixed="\t" if bare.endswith(".tsv") else None)
    if bare.endswith((".jsonl", ".ndjson")):
        return Form("json lines")
    if bare.endswith(".json"):
        return Form("json", records=_array(path))
    return Form(next((kind for end, kind in _KINDS.items() if bare.endswith(end)), "table"))


_KINDS = {".parquet": "parquet", ".xlsx": "sheet", ".xls": "sheet", ".xlsm": "sheet", ".xes": "xes", ".zip": "zip"}


def _csv(path: Path, *, fixed: str | None) -> Form:
    encoding, guessed = _encoding(_beginning(path))
    text = _beginning(path).decode(encoding, errors="ignore").lstrip("\ufeff")
    named = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    body = text[named.end() :] if named else text
    delimiter = named[1] if named else fixed or _delimiter(body)
    return Form("csv", encoding, delimiter, _title_lines(body, delimiter), guessed_encoding=guessed)


def _beginning(path: Path) -> bytes:
    import gzip

    with readable(path), gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
        return stream.read(LOOKED_AT)


def _encoding(raw: bytes) -> tuple[str, bool]:
    """The encoding, and whether it is a guess."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            return name, False
    zeros = Counter(position % 2 for position, byte in enumerate(raw[:4000]) if byte == 0)
    if sum(zeros.values()) > len(raw[:4000]) / 4:
        return ("utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"), False
    if _decodes(raw, "utf-8"):
        return "utf-8", False
    return _of_eight_bits(raw), True


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError as error:
        return len(raw) == LOOKED_AT and error.start > len(raw) - 4  # a character cut off by the limit
    return True


def _of_eight_bits(raw: bytes) -> str:
    from charset_normalizer import from_bytes

    text = b"\n".join(line for line in raw.splitlines() if not line.isascii())
    found = from_bytes(text, cp_isolation=list(ENCODINGS), enable_fallback=False)
    mess = {str(each): each.chaos for each in found}
    texts = {name: text.decode(name, "replace") for name in ENCODINGS if _decodes(text, name)}
    return min(texts, key=lambda name: (_signs_within_words(texts[name]), mess.get(texts[name], 0.5)), default="cp1252")


def _signs_within_words(text: str) -> int:
    """Words with a sign next to a letter, as `¿ó³w` has: letters of another encoding."""
    return len(re.findall(r"[^\W\d_][¡-¿×÷]|[¡-©¬-¯²-´¶-¸¹¼-¾×÷][^\W\d_]", text))


def _delimiter(text: str) -> str:
    from clevercsv import Detector

    found = Detector().detect(text[:SNIFFED], delimiters=list(DELIMITERS))
    return found.delimiter if found and found.delimiter else ","


def _title_lines(text: str, delimiter: str) -> int:
    """Lines above the header: the first line with as many filled cells as most of the lines below have at least."""
    import csv

    rows = [row for row in csv.reader(text[:SNIFFED].splitlines(keepends=True), delimiter=delimiter) if row]
    if len(rows) < 2:
        return 0
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    for number, row in enumerate(rows[:LONGEST_TITLE]):
        if len(row) >= width and sum(bool(cell.strip()) for cell in row) > width / 2:
            return number
    return 0


def _array(path: Path) -> str | None:
    """The path of the longest list of objects in a JSON document; None if the document is that list."""
    with readable(path):
        try:
            content = json.loads(path.read_bytes().decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise BadInput(f"{path}: is no JSON ({error}); export it again") from None
    if isinstance(content, list):
        return None
    found = _lists(content, "", 0)
    if not found:
        raise BadInput(f"{path}: there is no list of objects in this JSON; export a list of tickets")
    return max(found, key=lambda each: each[1])[0]


def _lists(content: Any, path: str, depth: int) -> list[tuple[str, int]]:
    if not isinstance(content, dict) or depth > 5:
        return []
    found: list[tuple[str, int]] = []
    for key, value in content.items():
        here = f"{path}{key}"
        if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            found.append((here, len(value)))
        else:
            found += _lists(value, f"{here}.", depth + 1)
    return found
