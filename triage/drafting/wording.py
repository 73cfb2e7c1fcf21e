"""The words of a reply that state no fact: greeting, thanks, next contact, by language and tone."""

import re
import unicodedata
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from engine.shared import policy_file
from triage.policy_files import Policy

Tone = Literal["neutral", "warm"]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Phrase = Annotated[str, Field(min_length=1, max_length=400)]
Name = Annotated[str, Field(min_length=1, max_length=60)]

PLACEHOLDERS: Final = {"diagnosis": ("title",), "quoted": ("language",)}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_FACT = re.compile(r"\d|https?:|www\.|\w\.\w|@|[\[\]{}<>`*#$]")
_JOINERS: Final = "\u200c\u200d"
"""Format characters that some scripts are written with."""


class Phrases(Policy):
    """All that a reply says in words of its own. `diagnosis` names the {title} of the article that is quoted, `quoted`
    the {language} of the articles where it is not the reader's; `to_check` marks a sentence for the agent."""

    greeting: Phrase
    thanks: Phrase
    diagnosis: Phrase
    steps: Phrase
    says: Phrase
    verify: Phrase
    quoted: Phrase
    next_contact: Phrase
    nothing_found: Phrase
    facts_wanted: Phrase
    closing: Phrase
    to_check: Phrase

    @model_validator(mode="after")
    def _state_no_fact(self) -> Self:
        for name, phrase in self:
            _check(name, phrase.replace("\n", " "), PLACEHOLDERS.get(name, ()))
        return self


def _check(name: str, phrase: str, wanted: tuple[str, ...] = ()) -> None:
    """Raises ValueError for other placeholders than those wanted, a fact, or a character that shows nothing."""
    if tuple(_PLACEHOLDER.findall(phrase)) != wanted:
        there = " and ".join(f"{{{word}}} once" for word in wanted) or "no placeholder"
        raise ValueError(f"{name} must hold {there}: {phrase!r}")
    if _FACT.search(_PLACEHOLDER.sub("", phrase)):
        raise ValueError(f"{name} holds a digit, link, address, bracket or markup: {phrase!r}")
    if any(unicodedata.category(one)[0] == "C" and one not in _JOINERS for one in phrase):
        raise ValueError(f"{name} holds a control character: {phrase!r}")


class Tongue(Policy):
    """One language: its phrases in both tones, and what it calls the languages articles are written in."""

    names: dict[Language, Name]
    neutral: Phrases
    warm: Phrases

    @field_validator("names")
    @classmethod
    def _names_state_no_fact(cls, names: dict[str, str]) -> dict[str, str]:
        for code, name in names.items():
            _check(code, name)
        return names


class Wording(Policy):
    tone: Tone
    articles: Language
    languages: dict[Language, Tongue]

    @field_validator("languages")
    @classmethod
    def _has_english(cls, languages: dict[str, Tongue]) -> dict[str, Tongue]:
        if "en" not in languages:
            raise ValueError("en is missing; it is used for every ticket in no listed language")
        return languages

    @model_validator(mode="after")
    def _names_the_language_of_articles(self) -> Self:
        for code, tongue in self.languages.items():
            if code != self.articles and self.articles not in tongue.names:
                raise ValueError(
                    f"languages.{code}.names has no name for {self.articles}, the language of the articles"
                )
        return self

    def language_of(self, tag: str | None) -> str:
        """The listed language of a ticket that says `de`, `de-AT` or `DE_ch`; English for any other or none."""
        code = re.split(r"[-_]", (tag or "").strip().lower())[0]
        return code if code in self.languages else "en"

    def phrases(self, language: str) -> Phrases:
        """In the tone in force."""
        tongue = self.languages[language]
        return tongue.warm if self.tone == "warm" else tongue.neutral

    def quoting(self, language: str) -> str:
        """That the quoted sentences are in another language; nothing if they are in this one."""
        if language == self.articles:
            return ""
        return self.phrases(language).quoted.format(language=self.languages[language].names[self.articles])


def load_wording(path: Path) -> Wording:
    """Raises NotFound without the file, BadInput with file, key and reason."""
    return policy_file.read(path, Wording, what="wording of replies")


_ENGLISH: Final = Phrases(
    greeting="Hello,",
    thanks="thank you for your message.",
    diagnosis="From what you describe, this looks like “{title}”.",
    steps="These steps should help:",
    says="This is what our documentation says about it:",
    verify="How to see that it works:",
    quoted="The steps are quoted from our documentation, which is written in {language}.",
    next_contact="If this does not help, please reply with the exact error message or code, who is affected, and when "
    "it last happened; a support engineer will then go on with you.",
    nothing_found="I couldn't find relevant documentation that answers this. A support engineer will look into it "
    "and reply to you.",
    facts_wanted="It would help us to know the exact error message or code, who is affected, and when it last "
    "happened.",
    closing="Kind regards\nYour support team",
    to_check="(please check this before sending)",
)
PLAIN_ENGLISH: Final = Wording(
    tone="neutral",
    articles="en",
    languages={"en": Tongue(names={"en": "English"}, neutral=_ENGLISH, warm=_ENGLISH)},
)
"""What is used where no file of wording is given: the shipped English, without another tone."""
