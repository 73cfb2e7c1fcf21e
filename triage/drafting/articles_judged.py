"""A folder of articles, sentence by sentence, with what a reply may do with each."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from triage.contracts import Article
from triage.drafting.article_policy import CHECK, LEAVE_OUT, QUOTE, Rules, Verdict
from triage.drafting.article_sentences import judge
from triage.drafting.statements import Written, written_sentences
from triage.knowledge.articles import Reading


class JudgedSentence(NamedTuple):
    """`kind` is where it stands: title, heading, item, sentence, cell, code, quotation or link target."""

    file: str
    article: str
    section: str
    kind: str
    text: str
    verdict: Verdict
    reason: str


def judged_sentences(reading: Reading, rules: Rules) -> list[JudgedSentence]:
    """Every sentence of every article, titles first, in the order of the articles."""
    return [
        JudgedSentence(
            reading.files[article.id], article.id, part.section, part.kind, part.text, *judge(part.judged_as, rules)
        )
        for article in reading.articles
        for part in _parts(article)
    ]


def _parts(article: Article) -> Iterator[Written]:
    yield Written(article.title, "", "title")
    yield from written_sentences(article.text)


def counts_of(sentences: list[JudgedSentence]) -> dict[Verdict, int]:
    """How many there are of each verdict, all three named."""
    counted = Counter(sentence.verdict for sentence in sentences)
    verdicts: tuple[Verdict, ...] = (QUOTE, CHECK, LEAVE_OUT)
    return {verdict: counted[verdict] for verdict in verdicts}
