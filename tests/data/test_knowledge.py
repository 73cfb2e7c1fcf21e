"""The knowledge base is complete, credible in form, and every link inside it leads somewhere."""

import json
import re
import string
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from triage.contracts import Article, Macro

ROOT = Path(__file__).resolve().parents[2]
ARTICLE_FILES = sorted((ROOT / "data" / "knowledge").glob("*.md"))
MACRO_FILES = sorted((ROOT / "data" / "macros").glob("*.yaml"))
QUERY_FILE = Path(__file__).with_name("judged_queries.jsonl")

PRODUCTS = {"CASB", "SWG", "ZTNA", "DLP", "SSPM", "CFW", "GENERAL"}
CODES = {
    "CASB": (101, 114, 120, 133, 142, 155),
    "SWG": (201, 210, 223, 231, 244, 252),
    "ZTNA": (301, 312, 320, 333, 341, 350),
    "DLP": (401, 413, 422, 430, 441, 452),
    "SSPM": (501, 510, 522, 531, 540, 553),
    "CFW": (601, 612, 620, 633, 641, 652),
    "GEN": (701, 710, 722, 730, 741, 750),
}
TOPIC_CODES = {f"{product}-{number}" for product, numbers in CODES.items() for number in numbers}
KEYS = {"id", "title", "url", "product", "tags", "error_codes"}
CODE_IN_TEXT = re.compile(rf"\b(?:{'|'.join(CODES)})-\d{{3}}\b")


def read(path: Path) -> tuple[dict[str, Any], str]:
    """Front matter and body of one article."""
    _, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(head), body.strip()


def sentences(body: str) -> set[str]:
    """Sentences and table rows, without list marks, compared regardless of case and spacing."""
    lines = (re.sub(r"^\s*(?:[-*>#|]+|\d+\.)\s*", "", line) for line in body.splitlines())
    parts = (part for line in lines for part in re.split(r"(?<=[.!?:;])\s+", line))
    return {" ".join(part.casefold().split()) for part in parts}


FRONT = {path.name: read(path)[0] for path in ARTICLE_FILES}
BODY = {path.name: read(path)[1] for path in ARTICLE_FILES}
IDS = [head["id"] for head in FRONT.values()]
MACROS = [Macro(**entry) for path in MACRO_FILES for entry in yaml.safe_load(path.read_text(encoding="utf-8"))]
QUERIES = [json.loads(line) for line in QUERY_FILE.read_text(encoding="utf-8").splitlines()]

each_article = pytest.mark.parametrize("name", sorted(FRONT))
each_topic = pytest.mark.parametrize("name", sorted(name for name, head in FRONT.items() if head["error_codes"]))
each_macro = pytest.mark.parametrize("macro", MACROS, ids=lambda macro: macro.id)


@each_article
def test_article_has_full_front_matter(name: str) -> None:
    head = FRONT[name]
    assert set(head) == KEYS
    article = Article(**head, text=BODY[name])
    assert article.product in PRODUCTS
    assert article.tags
    assert name.startswith(f"{article.id}-")


@each_article
def test_article_address_is_fictional_and_matches_its_id(name: str) -> None:
    address = urlsplit(FRONT[name]["url"])
    prefix, number = FRONT[name]["id"].split("-")
    assert (address.scheme, address.netloc) == ("https", "help.northlight.example")
    assert address.path == f"/{prefix}/{number}"


@each_article
def test_article_names_no_real_host(name: str) -> None:
    hosts = re.findall(r"(?:https?|wss)://([\w.-]+)", BODY[name])
    assert [host for host in hosts if not host.endswith(".example")] == []


@each_article
def test_article_is_neither_stub_nor_book(name: str) -> None:
    assert 250 <= len(BODY[name].split()) <= 600


@each_topic
def test_topic_article_shows_its_code_and_numbered_steps(name: str) -> None:
    head, body = FRONT[name], BODY[name]
    assert [code for code in head["error_codes"] if code not in body] == []
    section = re.split(r"^## ", body.split("## Fix\n", 1)[1], maxsplit=1, flags=re.M)[0]
    steps = re.findall(r"^\d+\. (.+)$", section, flags=re.M)
    assert len(steps) >= 4
    assert [step for step in steps if not step.endswith(".")] == [], "a step is quoted in drafts: end the sentence"


def test_article_ids_and_addresses_are_unique() -> None:
    addresses = [head["url"] for head in FRONT.values()]
    titles = [head["title"] for head in FRONT.values()]
    for values in (IDS, addresses, titles):
        assert [value for value, times in Counter(values).items() if times > 1] == []


def test_every_topic_has_exactly_one_article() -> None:
    told = Counter(code for head in FRONT.values() for code in head["error_codes"] if code in TOPIC_CODES)
    assert told == Counter(TOPIC_CODES)


def test_code_product_and_id_agree() -> None:
    for head in FRONT.values():
        prefix = head["id"].split("-")[0].upper()
        assert head["product"] == ("GENERAL" if prefix == "GEN" else prefix)
        assert not (own := set(head["error_codes"]) & TOPIC_CODES) or own == {head["id"].upper()}


def test_articles_mention_only_known_codes() -> None:
    unknown = {code for body in BODY.values() for code in CODE_IN_TEXT.findall(body)} - TOPIC_CODES
    assert unknown == set()


def test_general_advice_goes_beyond_the_topics() -> None:
    assert sum(not head["error_codes"] for head in FRONT.values()) >= 4


def test_no_sentence_is_told_in_two_articles() -> None:
    told_in = defaultdict(set)
    for name, body in BODY.items():
        for sentence in sentences(body):
            if len(sentence) > 40:
                told_in[sentence].add(name)
    assert {sentence: names for sentence, names in told_in.items() if len(names) > 1} == {}


def test_macros_cover_daily_themes_and_every_product() -> None:
    assert len({macro.id for macro in MACROS}) == len(MACROS) >= 14
    assert {macro.product for macro in MACROS} == PRODUCTS
    themes = {macro.id.split("-")[0] for macro in MACROS}
    assert {"auth", "ingestion", "billing", "ui"} <= themes


@each_macro
def test_macro_links_existing_articles_and_runbook(macro: Macro) -> None:
    assert macro.docs
    assert set(macro.docs) <= set(IDS)
    assert set(macro.error_codes) <= TOPIC_CODES
    assert macro.runbook is not None
    assert urlsplit(macro.runbook).netloc == "runbooks.northlight.example"


@each_macro
def test_macro_links_the_article_of_each_of_its_codes(macro: Macro) -> None:
    assert {code.lower() for code in macro.error_codes} <= set(macro.docs)


@each_macro
def test_macro_has_only_name_and_reference_to_fill(macro: Macro) -> None:
    fields = {field for _, field, _, _ in string.Formatter().parse(macro.text) if field is not None}
    assert fields == {"name", "reference"}
    assert "INC-7" in macro.text.format(name="Ana", reference="INC-7")


@each_macro
def test_macro_signals_are_specific_lower_case_phrases(macro: Macro) -> None:
    assert macro.signals
    assert [s for s in macro.signals if s != s.lower() or s != s.strip() or len(s) < 3] == []


def test_every_code_suggests_a_macro() -> None:
    assert TOPIC_CODES - {code for macro in MACROS for code in macro.error_codes} == set()


def test_judged_queries_point_to_existing_articles() -> None:
    assert len(QUERIES) >= 60
    assert {tuple(sorted(query)) for query in QUERIES} == {("article", "query")}
    assert {query["article"] for query in QUERIES} == set(IDS), "each article is asked for, and no other"


def test_judged_queries_are_not_titles() -> None:
    titles = {head["title"].casefold() for head in FRONT.values()}
    asked = [query["query"].casefold() for query in QUERIES]
    assert len(set(asked)) == len(asked)
    assert titles.isdisjoint(asked)
