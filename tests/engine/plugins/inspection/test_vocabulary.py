"""Known exports and words: each is known by its headers in its language, and words mean what they say."""

from pathlib import Path

import pytest

from engine.plugins.inspection.vocabulary import POLARITY, load_vocabulary
from engine.plugins.mapping import ENUMS, FIELDS, NOTES

VOCABULARY = load_vocabulary(Path("data/exports"))


@pytest.mark.parametrize("export", VOCABULARY.exports, ids=lambda export: export.name)
def test_an_export_is_known_by_each_set_of_its_headers(export: object) -> None:
    for signature in export.signatures:  # type: ignore[attr-defined]
        assert VOCABULARY.export_of([*signature, "Something else"]) is export


def test_every_field_and_word_of_the_data_is_one_of_ours() -> None:
    fields = FIELDS | set(POLARITY)
    known = {**ENUMS, **NOTES, "verdict": ("met", "breached")}
    assert set(VOCABULARY.headers) <= fields
    for words in (VOCABULARY.words, *(export.words for export in VOCABULARY.exports)):
        for field, table in words.items():
            assert field == "channel" or set(table) <= set(known[field]), field
    for export in VOCABULARY.exports:
        assert set(export.columns) <= fields, export.name


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Esperando por el cliente", "waiting_customer"),
        ("En cours (Attribué)", "in_progress"),
        ("erfolgreich geschlossen", "closed"),
        ("Em andamento", "in_progress"),
        ("4 - Awaiting User Info", "waiting_customer"),
    ],
)
def test_a_status_is_known_in_many_languages(word: str, status: str) -> None:
    found = VOCABULARY.meaning("status", word, None)
    assert found is not None
    assert found.word == status


@pytest.mark.parametrize("word", ["Zorp", "Not resolved", "nicht gelöst", "7", "-100", "no"])
def test_a_word_that_resembles_nothing_has_no_meaning(word: str) -> None:
    assert VOCABULARY.meaning("status", word, None) is None


def test_a_misspelt_word_is_a_guess() -> None:
    found = VOCABULARY.meaning("status", "In progres", None)
    assert found == ("in_progress", False)
