"""In which encoding a text file is written, and by what its cells are separated."""

import codecs
import re
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO, Final

from engine.shared.errors import BadInput
from engine.shared.tabular import DELIMITERS, SEP_LINE, bytes_of, readable, text_of

SNIFFED: Final = 20_000
"""Characters by which the delimiter is told."""
LOOKED_AT: Final = 1 << 16
"""Bytes of lines with other letters than ASCII's, by which encodings that are not Unicode are told apart."""
ENCODINGS: Final = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp932", "gb18030", "euc_kr", "big5")
"""What text that is not Unicode is told apart into; of two that fit equally well the earlier."""


def encoding_of(file: Path) -> str:
    """UTF-8 or UTF-16 if the whole file is such, else cp1252. Raises BadInput where another fits better."""
    found, _ = likely_encoding(file)
    if found in ENCODINGS[1:]:
        raise BadInput(f"{file}: neither Unicode nor Western text; set `encoding` in the mapping, perhaps {found}")
    return found


def likely_encoding(file: Path) -> tuple[str, bool]:
    """UTF-8 or UTF-16 if the whole file is such, else the one of ENCODINGS in which it reads best; whether that is a
    guess."""
    with readable(file):
        with bytes_of(file) as stream:
            head, utf8, fits = b"", codecs.getincrementaldecoder("utf-8")(), True
            while part := stream.read(1 << 20):
                head = head or part[:4000]
                fits = fits and _decodes(utf8, part)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16", False
        even, odd = head[::2].count(0), head[1::2].count(0)
        if even + odd > len(head) / 4:
            return "utf-16-le" if odd > even else "utf-16-be", False
        if fits and _decodes(utf8, b"", final=True):
            return "utf-8", False
        with bytes_of(file) as stream:
            return _of_eight_bits(_other_letters(stream)), True


def delimiters_of(file: Path, encoding: str, *, skip: int = 0) -> tuple[str, ...]:
    """What may separate the cells of its beginning, the likeliest first: those by which rows are as even as by it. None
    for a single column."""
    from clevercsv.consistency import ConsistencyDetector  # noqa: PLC0415  # for few files
    from clevercsv.potential_dialects import get_dialects  # noqa: PLC0415

    with readable(file, encoding), text_of(file, encoding) as stream:
        text = stream.read(SNIFFED)
    if named := SEP_LINE.match(text):
        return (named["delimiter"],)
    text = "".join(text.splitlines(keepends=True)[skip:])
    scores = ConsistencyDetector().compute_consistency_scores(text, get_dialects(text, delimiters=list(DELIMITERS)))
    best = max(scores.items(), key=lambda each: each[1].Q or 0, default=None)
    if best is None or not best[0].delimiter:
        return ()
    even = {dialect.delimiter: None for dialect, score in scores.items() if score.P >= best[1].P and dialect.delimiter}
    return tuple(dict.fromkeys((best[0].delimiter, *even)))


def _decodes(decoder: codecs.IncrementalDecoder, part: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(part, final=final)
    except UnicodeDecodeError:
        return False
    return True


def _other_letters(stream: BinaryIO) -> bytes:
    found, size = [], 0
    for line in takewhile(bool, iter(lambda: stream.readline(LOOKED_AT), None)):
        if not line.isascii():
            found.append(line)
            size += len(line)
        if size >= LOOKED_AT:
            break
    return b"".join(found)


def _of_eight_bits(raw: bytes) -> str:
    from charset_normalizer import from_bytes  # noqa: PLC0415  # for few files

    mess = {str(each): each.chaos for each in from_bytes(raw, cp_isolation=list(ENCODINGS), enable_fallback=False)}
    texts = {name: raw.decode(name, errors="replace") for name in ENCODINGS}
    fitting = {name: text for name, text in texts.items() if "\ufffd" not in text[:-2]}
    order = {name: (_signs_within_words(text), mess.get(name, 0.5)) for name, text in fitting.items()}
    return min(order, key=lambda name: order[name], default="cp1252")


def _signs_within_words(text: str) -> int:
    """Words with a sign next to a letter, as `¿ó³w` has: letters of another encoding."""
    return len(re.findall(r"[^\W\d_][¡-¿×÷]|[¡-©¬-¯²-´¶-¸¹¼-¾×÷][^\W\d_]", text))
