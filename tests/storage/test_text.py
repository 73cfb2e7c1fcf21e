"""What passes as JSON without a look at it is what JSON gives back; instants are written as SQLAlchemy writes them."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import DateTime
from sqlalchemy.dialects import sqlite

from engine.contracts import Status
from engine.errors import BadInput
from engine.storage.columns import UtcInstant
from engine.storage.text import as_json, clean, is_json, is_text, jsonable

words = st.text(st.characters(), max_size=5) | st.sampled_from(["\x00", "\ud800", "ü", "\U0001f600"])
odd = st.none() | st.booleans() | st.integers() | st.floats() | words | st.sampled_from(Status) | st.just((1, 2))
values = st.recursive(odd, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3))
zones = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))


def written(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@given(values)
def test_what_is_json_comes_back_as_it_is(value: Any) -> None:
    if is_json(value):
        assert written(json.loads(json.dumps(value, allow_nan=False))) == written(value)
        assert json.dumps(value, ensure_ascii=False).encode()
        assert "\\u0000" not in as_json(value)


@given(words)
def test_text_is_clean_as_it_is_or_made_so(text: str) -> None:
    plain = "".join("\ufffd" if char == "\x00" or "\ud800" <= char <= "\udfff" else char for char in text)
    assert clean(text) == plain
    assert is_text(text) == (plain == text)


@pytest.mark.parametrize("value", [{"a": 1, "b": [None, "ü", 1.5, {}]}, {}, [], ["x"], {"n": True}])
def test_ordinary_content_needs_no_copy(value: Any) -> None:
    assert jsonable(value) is value


@pytest.mark.parametrize("value", [(), (1,), {1: 2}, Status.NEW, float("nan"), {"x": ["\x00", 10**5000]}])
def test_what_json_changes_is_never_passed(value: Any) -> None:
    assert not is_json(value)


def test_a_circle_is_refused_in_words() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert not is_json(circle)
    with pytest.raises(BadInput, match="can't be kept as JSON"):
        as_json(circle)


@given(st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=zones))  # noqa: DTZ001
def test_instants_read_as_sqlalchemy_writes_them(instant: datetime) -> None:
    dialect = sqlite.dialect()
    plain = DateTime().dialect_impl(dialect).bind_processor(dialect)
    write, read = UtcInstant().bind_processor(dialect), UtcInstant().result_processor(dialect, None)
    assert plain is not None
    text = write(instant)
    assert text == plain(instant.astimezone(UTC).replace(tzinfo=None))
    assert read(text) == instant
