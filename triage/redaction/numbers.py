"""Numbers that name a person or an account: cards, IBAN, tax and social security numbers, by their check digits."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from stdnum import iban, luhn
from stdnum.at import tin as at_tin
from stdnum.be import nn as be_nn
from stdnum.br import cnpj, cpf
from stdnum.ch import ssn as ch_ssn
from stdnum.de import idnr, stnr
from stdnum.es import cif, dni, nie
from stdnum.eu import vat
from stdnum.fr import nif as fr_nif
from stdnum.fr import nir, siren, siret
from stdnum.gb import nhs, utr
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.pt import nif as pt_nif
from stdnum.us import ein, itin, ssn

from triage.redaction.kinds import Kind, Span, one_of

_BEFORE: Final = 48
"""Characters before a number in which a word may say what it is."""

_IBAN = re.compile(r"(?<![\w])[A-Z]{2}\d\d(?:[ \xa0-]?[A-Z0-9]){11,30}(?![A-Za-z0-9])", re.IGNORECASE)
_IBAN_WORD = re.compile(r"\biban\b[^\n]{0,24}$", re.IGNORECASE)


def ibans(text: str) -> list[Span]:
    """Of words behind one, no more than belongs to it; with `IBAN` before it also one with a typo."""
    return [span for match in _IBAN.finditer(text) if (span := _iban(text, match))]


def _iban(text: str, match: re.Match[str]) -> Span | None:
    groups = list(re.finditer(r"[A-Za-z0-9]+", match[0]))
    for group in reversed(groups):
        if iban.is_valid(match[0][: group.end()]):
            return Span(match.start(), match.start() + group.end(), Kind.IBAN)
    if not _IBAN_WORD.search(text[max(0, match.start() - _BEFORE) : match.start()]):
        return None
    end = next((g.start() for g in groups[1:] if g[0].isalpha() and len(g[0]) != 4), len(match[0]))
    return Span(match.start(), match.start() + len(match[0][:end].rstrip()), Kind.IBAN)


_CARD = re.compile(r"(?<![A-Za-z0-9_.,+-])(?:\d[ \xa0‐‑–-]{0,2}){12,18}\d(?![A-Za-z0-9_]|[.,]\d)")
_ISSUED = re.compile(r"4|5[1-5]|2[2-7]|3[0-9]|6[0-9]|50|5[6-8]")
_CARD_WORD = re.compile(
    one_of(
        "card", "visa", "mastercard", "amex", "american express", "maestro", "pan", "karte", "kartennummer",
        "kreditkarte", "carte", "carte bancaire",
        "tarjeta", "cartão", "cartao", "kaart", "creditcard", "carta", "カード", "カード番号",
    )
    + r"[^\n\d]{0,28}$",
    re.IGNORECASE,
)  # fmt: skip
_NO_CARD = re.compile(r"\b(?:imei|serial|s/n|order|tracking|iccid|sim|ticket|session)\b[^\n\d]{0,20}$", re.IGNORECASE)
_CODE_BEHIND = re.compile(
    r"\b(?:cvv2?|cvc2?|cid|prüfziffer|kartenprüfnummer|cryptogramme)\b\W{0,3}(?:\w{2,8}\W{1,3})?(\d{3,4})\b", re.I
)


def cards(text: str) -> list[Span]:
    """Of a card's issuer and with its check digit; where the text calls it a card, also one with a typo. And what
    stands on its back."""
    found = [Span(*match.span(), Kind.CARD) for match in _CARD.finditer(text) if _is_card(text, match)]
    return found + [Span(*match.span(1), Kind.CARD) for match in _CODE_BEHIND.finditer(text)]


def _is_card(text: str, match: re.Match[str]) -> bool:
    digits, before = re.sub(r"\D", "", match[0]), text[max(0, match.start() - _BEFORE) : match.start()]
    if _CARD_WORD.search(before):
        return True
    return bool(
        luhn.is_valid(digits) and _ISSUED.match(digits) and not _NO_CARD.search(before) and len(set(digits)) > 1
    )


# -- tax, social security, passports -------------------------------------------------------------------------------


class Numbers(NamedTuple):
    """Numbers of one shape. Those that nothing else looks like need no word before them, if `is_valid`."""

    shape: re.Pattern[str]
    is_valid: Callable[[str], bool]
    words: re.Pattern[str] | None = None
    """With one of these before it any of this shape is one, with a typo too."""
    is_plain: bool = False
    """Looks like any number: counts with a word before it alone."""


def _words(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-zÀ-ɏ]){one_of(*words.split(', '))}(?![A-Za-zÀ-ɏ])[^\n\d]{{0,28}}$", re.IGNORECASE)


def _shape(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9_À-ɏ.,/+-])(?:{pattern})(?![A-Za-z0-9_À-ɏ/-]|[.,]\d)", re.IGNORECASE)


def _always(_: str) -> bool:
    return True


KNOWN: Final = (
    Numbers(  # Germany
        _shape(r"\d{2} ?\d{3} ?\d{3} ?\d{3}"),
        idnr.is_valid,
        _words(
            "steuer id, steueridentifikationsnummer, steuer identifikationsnummer, idnr, steuer idnr, "
            "identifikationsnummer, tax id"
        ),
        is_plain=True,
    ),
    Numbers(
        _shape(r"\d{2,5}/\d{3,4}/\d{4,5}|\d{5}/\d{5}|\d{10,13}"),
        stnr.is_valid,
        _words("steuernummer, steuer nr, st nr, stnr"),
        is_plain=True,
    ),
    Numbers(
        _shape(r"\d{2} ?\d{6} ?[A-Z] ?\d{3}"),
        _always,
        _words("sozialversicherungsnummer, rentenversicherungsnummer, sv nummer, svnr, versicherungsnummer"),
        is_plain=True,
    ),
    Numbers(_shape(r"\d{4} ?\d{6}"), _always, _words("sozialversicherungsnummer, svnr, sv nummer"), is_plain=True),
    Numbers(_shape(r"\d{2}-?\d{3}/?\d{4}"), at_tin.is_valid, _words("steuernummer, abgabenkontonummer"), is_plain=True),
    Numbers(_shape(r"756\.?\d{4}\.?\d{4}\.?\d{2}"), ch_ssn.is_valid, _words("ahv, avs, ahv nummer, numéro avs")),
    Numbers(  # France
        _shape(r"[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3}(?: ?\d{2})?"),
        nir.is_valid,
        _words("sécurité sociale, securite sociale, nir, numéro de sécu, sécu"),
    ),
    Numbers(
        _shape(r"[0-3]\d ?\d{2} ?\d{3} ?\d{3} ?\d{3}"),
        fr_nif.is_valid,
        _words("numéro fiscal, numero fiscal, spi, nif, référence fiscale"),
        is_plain=True,
    ),
    Numbers(_shape(r"\d{3} ?\d{3} ?\d{3} ?\d{5}"), siret.is_valid, _words("siret"), is_plain=True),
    Numbers(_shape(r"\d{3} ?\d{3} ?\d{3}"), siren.is_valid, _words("siren"), is_plain=True),
    # Spain
    Numbers(
        _shape(r"\d{2}\.?\d{3}\.?\d{3}[ -]?[A-Z]"),
        dni.is_valid,
        _words("dni, nif, documento, documento de identidad, identidad"),
    ),
    Numbers(_shape(r"[XYZ][ -]?\d{7}[ -]?[A-Z]"), nie.is_valid, _words("nie, nif")),
    Numbers(_shape(r"[A-HJNP-SUVW][ -]?\d{7}[ -]?[0-9A-J]"), cif.is_valid, _words("cif, nif"), is_plain=True),
    Numbers(_shape(r"\d{2}[ /-]?\d{8}[ /-]?\d{2}"), _always, _words("seguridad social, nuss, naf"), is_plain=True),
    # Italy
    Numbers(
        _shape(r"[A-Z]{6} ?\d{2}[A-EHLMPRST]\d{2} ?[A-Z]\d{3}[A-Z]"),
        codicefiscale.is_valid,
        _words("codice fiscale, cf, c.f."),
    ),
    Numbers(_shape(r"\d{11}"), _always, _words("partita iva, p. iva, p.iva, piva, partita"), is_plain=True),
    # Portugal and Brazil
    Numbers(_shape(r"\d{3}\.\d{3}\.\d{3}-\d{2}"), cpf.is_valid, _words("cpf")),
    Numbers(_shape(r"\d{11}"), cpf.is_valid, _words("cpf"), is_plain=True),
    Numbers(_shape(r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}"), cnpj.is_valid, _words("cnpj")),
    Numbers(_shape(r"\d{14}"), cnpj.is_valid, _words("cnpj"), is_plain=True),
    Numbers(
        _shape(r"\d{3} ?\d{3} ?\d{3}"),
        pt_nif.is_valid,
        _words("nif, contribuinte, número de contribuinte, número fiscal, nipc"),
        is_plain=True,
    ),
    # The Netherlands and Belgium
    Numbers(
        _shape(r"\d{4}\.?\d{2}\.?\d{3}|\d{9}|\d{3} \d{3} \d{3}"),
        bsn.is_valid,
        _words("bsn, burgerservicenummer, sofinummer, sofi nummer"),
        is_plain=True,
    ),
    Numbers(
        _shape(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"),
        be_nn.is_valid,
        _words("rijksregisternummer, insz, registre national"),
    ),
    Numbers(_shape(r"\d{11}"), be_nn.is_valid, _words("rijksregisternummer, insz, registre national"), is_plain=True),
    # The United Kingdom and the United States
    Numbers(
        _shape(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"),
        _always,
        _words("national insurance, ni number, nino, insurance number"),
    ),
    Numbers(
        _shape(r"\d{5} ?\d{5}"),
        utr.is_valid,
        _words("utr, unique taxpayer reference, taxpayer reference"),
        is_plain=True,
    ),
    Numbers(_shape(r"\d{3}[ -]?\d{3}[ -]?\d{4}"), nhs.is_valid, _words("nhs, nhs number"), is_plain=True),
    Numbers(
        _shape(r"\d{3}[-–]\d{2}[-–]\d{4}"), ssn.is_valid, _words("ssn, social security, social security number, social")
    ),
    Numbers(
        _shape(r"\d{3} ?\d{2} ?\d{4}"),
        ssn.is_valid,
        _words("ssn, social security, social security number"),
        is_plain=True,
    ),
    Numbers(_shape(r"9\d{2}-\d{2}-\d{4}"), itin.is_valid, _words("itin, taxpayer")),
    Numbers(
        _shape(r"\d{2}-?\d{7}"),
        ein.is_valid,
        _words("ein, employer identification, employer identification number, tax id, fein"),
        is_plain=True,
    ),
    # Poland, Japan, passports and any other
    Numbers(_shape(r"\d{11}"), pesel.is_valid, _words("pesel"), is_plain=True),
    Numbers(_shape(r"\d{4}[ -]?\d{4}[ -]?\d{4}"), _always, _words("マイナンバー, 個人番号, my number"), is_plain=True),
    Numbers(_shape(r"T?\d{13}"), _always, _words("法人番号, 登録番号"), is_plain=True),
    Numbers(
        _shape(r"(?=[A-Z0-9]*\d{2})[A-Z0-9]{6,12}"),
        _always,
        _words(
            "passport, passport number, reisepass, reisepassnummer, passnummer, pass nr, ausweisnummer, "
            "personalausweis, personalausweisnummer, passeport, carte d'identité, pasaporte, passaporto, carta "
            "d'identità, passaporte, paspoort, paspoortnummer, identiteitskaart, driving licence, driver's "
            "license, führerschein, permis de conduire, パスポート, パスポート番号, 旅券番号, 免許証番号"
        ),
        is_plain=True,
    ),
    Numbers(
        _shape(r"(?=[A-Z0-9 ./-]*\d{4})[A-Z0-9][A-Z0-9 ./-]{6,18}[A-Z0-9]"),
        _always,
        _words(
            "tax number, tax identification number, vat number, vat id, ust idnr, ust id, ustid, umsatzsteuer id, "
            "uid nummer, numéro de tva, tva intracommunautaire, tva, nif iva, btw nummer, btw nr, btw, iva, "
            "número de iva"
        ),
        is_plain=True,
    ),
)

_VAT = re.compile(
    r"(?<![\w])(?:AT ?U|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK)"
    r"(?:[ .]?[A-Z0-9]){8,13}(?!\w)"
)


def ids(text: str) -> list[Span]:
    """By check digits (`python-stdnum`); what looks like any other number only behind a word that says what it is."""
    found = [Span(*match.span(), Kind.ID) for match in _VAT.finditer(text) if _is_vat(match[0])]
    for known in KNOWN:
        for match in known.shape.finditer(text):
            if _is_id(text, match, known):
                found.append(Span(*match.span(), Kind.ID))
    return found


def _is_id(text: str, match: re.Match[str], known: Numbers) -> bool:
    if known.words and known.words.search(text[max(0, match.start() - _BEFORE) : match.start()]):
        return any(character.isdigit() for character in match[0])
    return not known.is_plain and known.is_valid(match[0])


def _is_vat(number: str) -> bool:
    return sum(map(str.isdigit, number)) >= 7 and bool(vat.is_valid(number))
