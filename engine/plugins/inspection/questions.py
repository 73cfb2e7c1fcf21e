"""What a file does not tell and a person has to: asked by a key, answered in words, by a guess, or left open."""

from collections.abc import Mapping
from typing import NamedTuple

from engine.shared.errors import BadInput


class Question(NamedTuple):
    """`guess` is what most files would mean; a question without one stays open until a person answers."""

    key: str
    text: str
    options: tuple[str, ...] = ()
    """The answers there are; none: any text."""
    guess: str | None = None


class Questions:
    """Answers by key, and which questions were answered how."""

    def __init__(self, answers: Mapping[str, str], *, take_guesses: bool) -> None:
        self._answers, self._take_guesses = dict(answers), take_guesses
        self._keys: set[str] = set()
        self.guessed: list[Question] = []
        self.open: list[Question] = []

    def ask(self, question: Question) -> str | None:
        """The answer, or the guess; a guess that is not to be taken leaves the question open as well.

        Raises BadInput for an answer that is none of the options.
        """
        given = self.given(question.key)
        if given is not None:
            return checked(question, given)
        answered = question.guess is not None and self._take_guesses
        (self.guessed if answered else self.open).append(question)
        return question.guess

    def given(self, key: str) -> str | None:
        """What was answered without a question: `field=column`, `source=name`."""
        self._keys.add(key)
        return self._answers.pop(key, None)

    def check(self) -> None:
        """Raises BadInput for an answer to nothing."""
        if self._answers:
            raise BadInput(
                f"--answer {next(iter(self._answers))}=…: nothing goes by that name in this file; "
                f"there are {', '.join(sorted(self._keys))}"
            )


def checked(question: Question, answer: str) -> str:
    """The answer. Raises BadInput if it is none of the options."""
    if question.options and answer not in question.options:
        raise BadInput(f"--answer {question.key}={answer}: expected one of {', '.join(question.options)}")
    return answer
