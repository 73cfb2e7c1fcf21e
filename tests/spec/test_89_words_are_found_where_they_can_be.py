"""INC-1 names QX-4711; the server finds by meaning alone, so the passages' words are weighed here."""

from triage.knowledge.passage_words import PassageWords

PASSAGES = {("badge", 0): "The badge reader says QX-4711: hold the badge longer.", ("door", 0): "The door stays shut."}


def test_the_article_that_names_the_code_comes_by_its_words() -> None:
    words = PassageWords()
    hashes = {key: text[:5] for key, text in PASSAGES.items()}
    assert words.unknown(hashes) == list(PASSAGES)
    words.renew(hashes, PASSAGES)
    [found] = words.find(["The reader shows QX-4711"])
    assert next(iter(found)) == ("badge", 0)
    assert words.unknown(hashes) == []
