import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cpu import cpu_seconds
from triage.contracts import TicketText
from triage.sanitize import CUT, MAX_CHARACTERS, clean, is_empty


@pytest.mark.parametrize(
    ("raw", "readable"),
    [
        ("<p>Hello<br>world &amp; all</p>", "Hello\nworld & all"),
        ("<html><head><title>x</title></head><body>Body</body></html>", "Body"),
        ("<script>alert(1)</script><b>bold</b>", "bold"),
        ('<span style="display:none">ignore this</span><b>seen</b>', "seen"),
        ("<!-- a note to the machine -->ok", "ok"),
        ("trace <module> in <lambda>, a < b > c", "trace <module> in <lambda>, a < b > c"),
        ("the <script> tag is blocked\nsecond line", "the tag is blocked\nsecond line"),
        ("zero\u200bwidth \u202eturned\u202c \U000e0041tag\x00\x07", "zerowidth turned tag"),
        ("a  \t b\r\n\r\n\r\n\r\nc", "a b\n\nc"),
    ],
)
def test_only_what_a_reader_sees_is_left(raw: str, readable: str) -> None:
    assert clean(raw) == readable


def test_long_text_keeps_both_ends() -> None:
    text = clean("first words " + "x" * 60_000 + " last words")
    assert len(text) <= MAX_CHARACTERS
    assert text.startswith("first words")
    assert text.endswith("last words")
    assert CUT.strip() in text


@given(st.text(max_size=3000))
def test_cleaning_never_fails_and_never_exceeds(raw: str) -> None:
    text = clean(raw, limit=500)
    assert len(text) <= 500
    text.encode()


@pytest.mark.parametrize(
    "piece",
    [
        "<!--",
        "<b><!--",
        "<p ",
        "<b><![CDATA[",
        "<b></",
        "<div>",
        "<b>&#",
        '<a href="',
        "<b><?",
        '<a href=">',
        "<a b='>",
    ],
)
def test_hostile_markup_is_read_in_time(piece: str) -> None:
    assert cpu_seconds(lambda: clean("<b>" + piece * 50_000), under=2) < 2


@pytest.mark.parametrize(
    ("subject", "content", "empty"), [("", "", True), ("?!", "…", True), ("", "7", False), ("ü", "", False)]
)
def test_empty_means_no_letter_and_no_digit(subject: str, content: str, empty: bool) -> None:
    assert is_empty(TicketText(ticket_id="a:1", subject=subject, content=content)) is empty


@pytest.mark.parametrize(
    ("raw", "shortened"),
    [
        ("", ""),
        ("\x00\x1b[2J\x07", "[2J"),
        ("مرحبا، لا يعمل", "مرحبا، لا يعمل"),
        ("接続できません。", "接続できません。"),
        ("Ошибка 500", "Ошибка 500"),
        ("👩\u200d💻 ok", "👩💻 ok"),
        ("e\u0301", "é"),
        ("\ud800broken", "broken"),
        ("<p>" * 3 + "x" + "</p>" * 9, "x"),
    ],
)
def test_other_scripts_stay_and_controls_go(raw: str, shortened: str) -> None:
    assert clean(raw) == shortened


@pytest.mark.parametrize(
    "body", ["a" * 1_000_000, "é " * 500_000, "<b>" * 333_333, "\u202e" * 1_000_000, "\n" * 1_000_000]
)
def test_a_megabyte_is_read_in_time(body: str) -> None:
    assert len(clean(body)) <= MAX_CHARACTERS
    assert cpu_seconds(lambda: clean(body), under=1) < 1
