"""Phrases are data: every language and tone complete, and none states a fact."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.shared.errors import BadInput, NotFound
from tests.triage.conftest import DATA
from triage.drafting.wording import PLAIN_ENGLISH, load_wording

FILE = DATA / "policies" / "wording.yaml"


def changed(tmp_path: Path, *keys: str, value: Any) -> Path:
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    place = content
    for key in keys[:-1]:
        place = place[key]
    if value is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    file = tmp_path / "wording.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def test_four_languages_in_two_tones_ship() -> None:
    wording = load_wording(FILE)
    assert set(wording.languages) == {"en", "de", "fr", "es"}
    assert all(tongue.neutral.greeting != tongue.warm.greeting for tongue in wording.languages.values())


def test_what_is_built_in_is_the_shipped_english() -> None:
    assert PLAIN_ENGLISH.phrases("en") == load_wording(FILE).phrases("en")


@pytest.mark.parametrize(
    ("said", "used"), [("de", "de"), ("de-AT", "de"), ("FR_ca", "fr"), ("pt", "en"), ("", "en"), (None, "en")]
)
def test_an_unknown_language_is_answered_in_english(said: str | None, used: str) -> None:
    assert load_wording(FILE).language_of(said) == used


@pytest.mark.parametrize(
    ("keys", "value", "reason"),
    [
        (("tone",), "rude", "tone: Input should be 'neutral' or 'warm'"),
        (("languages", "en"), None, "en is missing"),
        (("languages", "de", "warm"), None, "languages.de.warm: Field required"),
        (("languages", "de", "neutral", "closing"), None, "languages.de.neutral.closing: Field required"),
        (("languages", "de", "neutral", "bye"), "x", "languages.de.neutral.bye: Extra inputs"),
        (("languages", "de", "neutral", "thanks"), "Danke {name}", "thanks must hold no placeholder"),
        (("languages", "de", "neutral", "diagnosis"), "Passt.", "diagnosis must hold {title} once"),
        (("languages", "de", "neutral", "thanks"), "Danke [1]", "thanks holds a digit, link, address"),
        (("languages", "de", "neutral", "thanks"), "Mehr auf evil.example", "thanks holds a digit, link, address"),
        (("languages", "de", "neutral", "thanks"), "Danke {", "thanks holds a digit, link, address"),
        (("languages", "de", "neutral", "thanks"), "Danke\u202e!", "thanks holds a control character"),
        (("languages", "de", "names", "en"), "Englisch, siehe evil.example", "names: en holds a digit, link"),
        (("languages", "de", "names", "en"), "<b>Englisch</b>", "names: en holds a digit, link"),
        (("languages", "de", "names", "en"), "Englisch\n", "names: en holds a control character"),
        (("languages", "de", "names", "en"), "{title}", "names: en must hold no placeholder"),
        (("languages", "de", "names"), {"de": "Deutsch"}, "languages.de.names has no name for en"),
        (("languages", "deutsch"), {}, "languages.deutsch"),
    ],
)
def test_a_bad_wording_is_refused_with_key_and_reason(
    tmp_path: Path, keys: tuple[str, ...], value: Any, reason: str
) -> None:
    with pytest.raises(BadInput) as refused:
        load_wording(changed(tmp_path, *keys, value=value))
    assert "wording.yaml: " in str(refused.value)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_wording(tmp_path / "wording.yaml")
