"""An event log in XES (IEEE 1849-2016): each event is a record, with the attributes of its case under `case:`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.parsers import expat

from engine.shared.errors import BadInput
from engine.shared.tabular import LARGEST_ROW, bytes_of, readable

PIECE: Final = 1 << 16
_ATTRIBUTES: Final = frozenset(("string", "date", "int", "float", "boolean", "id"))


def log_events(path: Path) -> Iterator[dict[str, str | None]]:
    """The events in the order of the file. Raises BadInput for what is no XES, for a document type with its entities,
    and for an event or an attribute longer than a row may be."""
    with readable(path), bytes_of(path) as stream:
        reader = _Reader(path)
        try:
            while piece := stream.read(PIECE):
                reader.unread += len(piece)
                reader.parser.Parse(piece, False)
                if reader.unread > LARGEST_ROW:
                    raise BadInput(f"{path}: an event is larger than {LARGEST_ROW >> 20} MB; export less of it")
                yield from reader.events
                reader.events.clear()
            reader.parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise BadInput(f"{path}: is no whole XES log ({error}); export it again") from None
        yield from reader.events


class _Reader:
    """Collects events; `unread` counts the bytes since the last event or attribute began."""

    def __init__(self, path: Path) -> None:
        self.path, self.unread = path, 0
        self.events: list[dict[str, str | None]] = []
        self.open: list[str] = []
        self.case: dict[str, str | None] = {}
        self.event: dict[str, str | None] = {}
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._document_type

    def _begin(self, tag: str, given: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        parent = self.open[-1] if self.open else None
        self.open.append(tag)
        if parent is None and tag != "log":
            raise BadInput(f"{self.path}: is no XES log; it begins with <{tag[:40]}>")
        if tag == "trace":
            self.case, self.unread = {}, 0
        elif tag == "event":
            self.event, self.unread = {}, 0
        elif tag in _ATTRIBUTES and parent == "trace":
            self.case[f"case:{given.get('key', '')}"] = given.get("value")
        elif tag in _ATTRIBUTES and parent == "event":
            self.event[given.get("key", "")] = given.get("value")
        elif parent != "event":
            self.unread = 0

    def _end(self, _: str) -> None:
        if self.open.pop() == "event":
            self.events.append(self.case | self.event)

    def _document_type(self, *_: object) -> None:
        raise BadInput(f"{self.path}: declares a document type, which a log has no need of; export it again")
