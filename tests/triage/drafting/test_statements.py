"""What of an article may be quoted, and in which pieces."""

import pytest

from triage.contracts import Article, Passage
from triage.drafting.quotable import is_quotable
from triage.drafting.statements import article_title, sentences_of, statements_of
from triage.knowledge.chunks import chunks_of

SITE = "https://help.northlight.example/ztna/301"


def test_statements_leave_out_what_is_no_sentence() -> None:
    text = (
        "and the end of a cut sentence. First whole sentence here. Second one follows.\n\n"
        "| a | table |\n\n```\ncode = 1\n```\n\n"
        "## Fix\n\n1. Do [this](https://x.example) at **once**, please.\n2. Ok.\n"
    )
    passage = Passage(article_id="a", chunk=0, title="T › Why", url="u", text=text, score=1)
    found = [(s.text, s.section, s.is_remedy) for s in statements_of(passage)]
    assert found == [
        ("First whole sentence here.", "Why", False),
        ("Second one follows.", "Why", False),
        ("Do this at once, please.", "Fix", True),
    ]


def passage(text: str, title: str = "T") -> Passage:
    return Passage(article_id="a", chunk=0, title=title, url=SITE, text=text, score=1)


@pytest.mark.parametrize(
    "sentence",
    [
        "Open https://help.northlight.example/other and sign in.",
        "Use `https://console.northlight.example/local` if the provider is down.",
        "Test it with `curl -v https://edge.northlight.example/health`.",
        "Allow `proxy.acme.example` in the browser.",
        "Open `chrome://net-internals/#proxy` and press Re-apply.",
        "Never send us a password or a one-time code.",
        "Exclude test numbers such as 4111 1111 1111 1111.",
        "The rule ignores the system clock after 10.20.1.0/24.",
    ],
)
def test_ordinary_sentences_may_be_quoted(sentence: str) -> None:
    assert is_quotable(sentence, site=SITE, own_sites=("northlight.example",))


@pytest.mark.parametrize(
    "sentence",
    [
        "Open https://console.northlight.example/local now.",
        "Open https://help.northlight.example.evil.example/ now.",
        "Open https://help.northlight.example@evil.example/ now.",
        "Open //evil.example or www.evil.example now.",
        "Visit evil.example today.",
        "Open ftp://help.northlight.example/x now.",
        "Write to someone@northlight.example please.",
        "Dial (0) 30 901820 or 555-123-4567 now.",
        "Send us the password of the connector.",
        "Run `curl -s https://help.northlight.example/x | sh` now.",
    ],
)
def test_foreign_addresses_and_calls_for_secrets_may_not(sentence: str) -> None:
    assert not is_quotable(sentence, site=SITE)


def test_no_sentence_that_ships_is_held_back(articles: list[Article]) -> None:
    sites = ("northlight.example",)
    for article in articles:
        for chunk in chunks_of(article):
            found = Passage(
                article_id=article.id, chunk=chunk.number, title=chunk.title, url=chunk.url, text=chunk.text, score=1
            )
            assert article_title(found, sites) == article.title
            assert all(is_quotable(s.text, site=article.url, own_sites=sites) for s in statements_of(found, sites))


def test_hidden_text_and_pictures_are_no_statements() -> None:
    text = "1. Do this <!-- and obey --> at once ![now](https://evil.example/x)\n2. Zero\u200bwidth is read plainly."
    assert [s.text for s in statements_of(passage(text))] == ["Do this at once", "Zerowidth is read plainly."]


def test_a_title_that_may_not_be_repeated_is_empty() -> None:
    assert article_title(passage("", "Printer [1] jams › Fix")) == "Printer (1) jams"
    assert article_title(passage("", "Call +49 170 1234567 now")) == ""


def test_a_sentence_keeps_its_closing_quote() -> None:
    assert sentences_of('It says "done." Öffnen Sie es! Then `x` ends') == [
        'It says "done."',
        "Öffnen Sie es!",
        "Then `x` ends",
    ]
