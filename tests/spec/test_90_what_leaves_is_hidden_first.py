"""INC-1 says who writes and a password: placeholders leave; a typed placeholder is nobody's name."""

from triage.redaction.names import Names
from triage.redaction.redact import redact, restore

KNOWN = Names(people=["Grace Hopper"])


def test_values_are_placeholders_and_come_back() -> None:
    text = "Grace Hopper, password hunter22. Grace Hopper"
    hidden = redact(text, names=KNOWN)
    assert hidden.text == "[NAME_1], password [SECRET_1]. [NAME_1]"
    assert restore(hidden.text, hidden.placeholders) == text


def test_a_typed_placeholder_is_nobodys_name() -> None:
    hidden = redact("Grace Hopper here, not [NAME_1]", names=KNOWN)
    assert hidden.text.count("[NAME_1]") == 1
    assert restore(hidden.text, hidden.placeholders) == "Grace Hopper here, not [NAME_1]"
