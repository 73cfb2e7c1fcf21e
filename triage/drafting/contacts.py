"""Which mailboxes, telephone numbers, accounts and cards a sentence names, however they are written."""

import re
from collections.abc import Iterator
from typing import Final

from triage.drafting.article_policy import Rules
from triage.drafting.places import pattern, written

MAIL: Final = re.compile(r"[\w.+-]+(?:@|\s@\s)[\w-]+(?:\.[\w-]+)*")
BANK: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b", re.IGNORECASE)
FEWEST_WORDS: Final = 5
"""Words for digits in a row that are a number to dial."""

_PHONE = re.compile(
    r"(?<![\w.,/:-])(?:(?:\+|00)\d{1,3}[ ()./-]{0,2}|\(?0)\d{1,5}\)?(?:[ ()./-]{1,2}\d{2,8}){1,5}(?!\w)"
    r"|(?<![\w.,/:-])(?:\+?1[ .-])?\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}(?!\w)"
    r"|(?<!\w)\+\s?\d[\d ()./-]{6,18}\d(?!\w)"
    r"|(?<![\w.,/:-])\d(?:[ .-]{1,3}\d){6,}(?!\w)"
    r"|(?<![\w.,/:-])(?:1[ -])?\(?(?:8|9)00\)?[ -][a-z0-9]{3,4}[ -]?[a-z0-9]{3,5}(?!\w)"
)
_COUNTED = r"(?!\s*(?:%|users?|minutes?|seconds?|hours?|days?|times?|requests?|[kmg]b\b|ms\b|s\b|h\b|min\b))"
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w.-])")
_WALLET = re.compile(r"\b(?:bc1[a-z0-9]{20,}|0x[0-9a-f]{40}|[13][a-km-z1-9]{25,34}|t[a-z0-9]{33})\b")
_ACCOUNT = re.compile(
    r"\b(?:account|sort code|routing|konto|compte|cuenta|conto|rekening|conta|iban|bic|swift|paypal|wallet)\b"
    r"[^.!?]{0,25}?(?<![\w-])\d(?:[ -]?\d){5,}"
)
_HANDLE = re.compile(r"(?<![\w@./`])@[a-z_]\w{2,}(?![\w/.@])")


def foreign_contact(text: str, raw: str, rules: Rules) -> str:
    """The first address, number or account in a `readable` text that is not on the contact list; empty if none."""
    return next(_mailboxes(text, rules), "") or next(_numbers(text, rules), "") or next(_accounts(text, raw, rules), "")


def _mailboxes(text: str, rules: Rules) -> Iterator[str]:
    named = [found[0].replace(" ", "").rstrip(".") for found in MAIL.finditer(text)]
    yield from (mail for mail in named if mail not in rules.emails)
    spelled = pattern(rf"[\w.+-]+\s+(?:{written().ats})\s+[\w-]+(?:\.[\w-]+)+")
    yield from (found[0] for found in spelled.finditer(text) if found[0].replace(" at ", "@") not in rules.emails)
    talk = pattern(
        rf"(?<!\w)(?:(?:on|via|over|through|by|under|per|über|auf|sur|por|en|su|our|add|join)\s+(?:our\s+)?"
        rf"(?:{written().channels})(?!\w)(?!\s+(?:strength|level|quality|traffic|uploads?|apps?|id\b|ids\b|cookie|lifetime|key|timeouts?))"
        rf"|(?:join|add|message|write|contact|reach|ask|post|find|dm|ping|text|talk)\b[^.;!?]{{0,40}}?\s(?:{written().channels})\s"
        rf"(?:server|group|channel|chat|account|handle|number|bot|room|user|community)(?!\w))"
    )
    yield from (found[0] for found in talk.finditer(text))
    yield from (found[0] for found in _HANDLE.finditer(text))
    if "mailto:" in text and not named:
        yield "mailto:"


def _numbers(text: str, rules: Rules) -> Iterator[str]:
    names = written()
    dialled = pattern(
        rf"(?<!\w)(?:{names.dialling})(?!\w)\W*(?:[^\W\d]+\W+){{0,3}}?\+?((?:\d[\s()./-]{{0,2}}){{3,}}){_COUNTED}"
        rf"|(?:拨打|致电|电话|電話|전화|اتصل)\D{{0,12}}((?:\d[\s()./-]{{0,2}}){{3,}})"
    )
    digits = pattern(rf"(?<!\w)(?:(?:{names.digits})[\s,-]+(?:and\s+)?){{{FEWEST_WORDS - 1},}}(?:{names.digits})(?!\w)")
    for form in (_PHONE, dialled, digits):
        for found in form.finditer(text):
            number = "".join(filter(str.isdigit, found[0]))
            if not number or not any(
                number.removeprefix("00").endswith(own.removeprefix("00")) for own in rules.phones
            ):
                yield found[0].strip()


def _accounts(text: str, raw: str, rules: Rules) -> Iterator[str]:
    yield from (found[0] for found in BANK.finditer(raw) if _is_iban(found[0]))
    for form in (_WALLET, _ACCOUNT):
        yield from (found[0] for found in form.finditer(text))
    for found in _CARD.finditer(text):
        if found[0] not in rules.names and _passes_luhn(found[0]):
            yield found[0]


def _is_iban(text: str) -> bool:
    """Written in capitals, or with the check digits of ISO 13616."""
    plain = text.replace(" ", "")
    figures = "".join(str(int(letter, 36)) for letter in (plain[4:] + plain[:4]).upper())
    return int(figures) % 97 == 1 or (text.isupper() and " " in text)


def _passes_luhn(text: str) -> bool:
    digits = [int(digit) for digit in text if digit.isdigit()][::-1]
    return sum(digits[0::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0
