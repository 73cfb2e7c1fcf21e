"""What the writer of a mail says, apart from the mails it quotes, the signature and the disclaimer.

Own rules in place of `mail-parser-reply`: that one missed the quotes of a third of the mail programs tried, took lists
and `From: 10.0.0.1` for the end of the text, and needed minutes for ten thousand blank lines.
"""

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Final, NamedTuple

FEW_WORDS: Final = 15
MARKED_WORDS: Final = 60
"""Someone who forwards a mail with fewer words of their own means what the mail says, too: where the mail says of
itself that it is passed on, with fewer than 60, else with fewer than 15."""
LONGEST_SIGNATURE: Final = 8
"""Lines after a closing phrase."""
SENTENCE: Final = 13
"""Words in a line that no signature has."""

_FROM = (
    r"from|von|de|da|van|från|fra|od|lähettäjä|от|от кого|kimden|差出人|发件人|寄件者|보낸 ?사람|felad[oó]"
    r"|gönderen|expéditeur"
)
_SENT = (
    r"sent|date|gesendet(?: am)?|datum|envoyé(?: le)?|date d'envoi|enviad[oa](?: el)?|fecha|data|inviato"
    r"|verzonden|skickat|sendt|dato"
    r"|lähetetty|wysłano|odesláno|отправлено|дата|gönderildi|tarih|送信日時|日時|日付|发送时间|日期|보낸 ?날짜|날짜"
)
_SUBJECT = (
    r"subject|betreff|objet|asunto|assunto|oggetto|onderwerp|ämne|emne|aihe|temat|předmět|тема|konu|件名|主题|主旨|제목"
)
_TO = r"to|an|à|para|a|aan|till|til|vastaanottaja|do|komu|кому|kime|宛先|收件人|받는 ?사람|cc|kopie|kopia|копия"
_ORIGINAL = (
    r"original message|ursprüngliche nachricht|urspr\. nachricht|originalnachricht|message d['’]origine"
    r"|message original|mensaje original"
    r"|messaggio originale|mensagem original|oorspronkelijk bericht|oryginalna wiadomość|wiadomość oryginalna"
    r"|wiadomość pierwotna|původní zpráva|oprindelig meddelelse|ursprungligt meddelande|opprinnelig melding"
    r"|alkuperäinen viesti|исходное сообщение|пересылаемое сообщение|orijinal (?:ileti|mesaj)|元のメッセージ|原始邮件"
    r"|原始郵件|원본 메[시세]지"
)
_FORWARDED = (
    r"forwarded (?:message|by)|begin forwarded message|weitergeleitete nachricht|anfang der weitergeleiteten"
    r"|message transféré|message transmis|début du message réexpédié|mensaje reenviado|inicio del mensaje reenviado"
    r"|messaggio inoltrato|inizio messaggio inoltrato|mensagem (?:encaminhada|reencaminhada)|doorgestuurd bericht"
    r"|przekazana wiadomość|wiadomość przekazana|přeposlaná zpráva|videresendt (?:meddelelse|melding)"
    r"|vidarebefordrat meddelande|välitetty viesti|пересылаемое сообщение|пересланное сообщение|転送メッセージ"
    r"|转发(?:的)?邮件|轉寄|전달된 메[시세]지"
)
_FORWARDING_SUBJECT = re.compile(
    r"^(?:(?:re|aw|sv|antw)\s*:\s*)*(?:fwd?|wg|tr|rv|enc|i|vs|vb|doorst|pd|i̇lt|ilt|转发|轉寄|転送)\s*[:：]",
    re.IGNORECASE,
)
_FORWARD = re.compile(rf"^[-_*> ]*(?:{_FORWARDED}).{{0,80}}$", re.IGNORECASE)
_MARK = re.compile(rf"^[-_*=> ]{{0,40}}(?:{_ORIGINAL})[-_*=: ]{{0,40}}$", re.IGNORECASE)
_HEADER = re.compile(
    rf"^[*> ]*(?:(?P<from>{_FROM})|(?P<sent>{_SENT})|(?P<subject>{_SUBJECT})|{_TO})\*? ?[:：]", re.IGNORECASE
)
_ATTRIBUTION = re.compile(
    r"""^>?\ ?(?:
      (?:on|am|le|el|il|em|op|den|dne|dnia|le\ jour|tor|man|tis|ons|fre|lör|sön)\b(?=.*[\d@]).{4,250}
      (?:wrote|schrieb(?:\ .{0,160})?|a\ écrit|escribió|ha\ scritto|escreveu|schreef(?:\ .{0,160})?
      |skrev(?:\ .{0,160})?
        |napsala?(?:\(a\))?|napisała?(?:\(a\))?|kirjoitti)\ ?:
      |(?=.*\d).{4,250}(?:wrote|schrieb|a\ écrit|escribió|ha\ scritto|escreveu|schreef|skrev
      |napisała?(?:\(a\))?|napsal(?:\(a\))?
        |kirjoitti|пишет|написала?|şunu\ yazdı|yazdı|写道|寫道|님이\ 작성(?:하였습니다)?)\ ?[:：]
      |(?=.*\d{4}).{0,80}\d{1,2}:\d{2}.{0,100}<\S{1,100}@\S{1,100}>\ ?[:：]
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
_ATTRIBUTION_BEGINS = re.compile(
    r"^(?:on|am|le|el|il|em|op|den|dne|dnia)\b(?=.*\d)(?!.*[.!?]$).{8,200}$", re.IGNORECASE
)
_NAMED = re.compile(
    r"^.{2,80} (?:wrote|writes|schrieb|a écrit|escribió|ha scritto|escreveu|schreef|skrev|napisała?) ?[:：]$",
    re.IGNORECASE,
)
"""An attribution where quote marks follow."""
_REPLY_ABOVE = re.compile(
    r"""^\W*(?:(?:please\ )?(?:type|write|enter|add|send)?\ ?(?:your\ |a\ )?(?:reply|respond|response|answer|comment
      |write|type)\ above\ (?:this|the)\ (?:dotted\ |dashed\ )?line
    |(?:bitte\ )?(?:antworten|schreiben|geben|tippen|antwort)\b.{0,40}
      (?:oberhalb|über|ueber)\ diese[rn]?\ (?:zeile|linie)
    |(?:veuillez|merci\ de|prière\ de|répond\w+|écri\w+|saisi\w+)\b.{0,50}au[- ]dessus\ de\ cette\ ligne
    |(?:por\ favor,?\ )?(?:escrib|respond|introduzc)\w+\b.{0,40}(?:encima|arriba)\ de\ esta\ línea
    |(?:si\ prega\ di\ |per\ favore,?\ )?(?:scriv|rispond|inser)\w+\b.{0,40}sopra\ (?:a\ )?questa\ (?:riga|linea)
    |(?:por\ favor,?\ )?(?:respond|escrev|digit)\w+\b.{0,40}acima\ desta\ linha
    |(?:gelieve|typ|reageer|antwoord|schrijf|beantwoord)\w*\b.{0,40}boven\ deze\ (?:regel|lijn)
    |この[行線]より上に.{0,20}|请在此行上方.{0,20}).{0,30}$""",
    re.IGNORECASE | re.VERBOSE,
)
"""The line of a ticket system below which it repeats what was said."""
_NOTES_DATE = re.compile(r"\b\d{1,4}[./-]\d{1,2}[./-]\d{2,4},?\ .{0,12}\d{1,2}[:.]\d{2}")
_NOTES_TO = re.compile(rf"^(?:{_TO})(?: ?[:：]|\s|$)", re.IGNORECASE)
_NOTES_SUBJECT = re.compile(rf"^(?:{_SUBJECT}|thema)(?: ?[:：]|\s|$)", re.IGNORECASE)
_A_SENTENCE = re.compile(r"[.!?]$|(?:\S+\s+){9}")
NOTES_LINES: Final = 14
"""Lines of a header as Lotus Notes writes it."""
_DASHES = re.compile(r"^(?:--|—|__)$")
_CLOSING = re.compile(
    r"""^(?:(?:many\ thanks|thanks?(?:\ you)?|cheers|danke|merci|gracias|grazie|obrigad[oa]
    |bedankt)(?:\ (?:and|und|et|y|e)\ )?
        (?:in\ advance|im\ voraus|so\ much|a\ lot|d'avance)?[,.! ]*)?
    (?:(?:with\ )?(?:best|kind|warm|many|warmest|kindest)?\ ?(?:regards|wishes|greetings)|best|sincerely
    |yours\ \w+|cheers
      |(?:many\ )?thanks|thank\ you|(?:mit\ )?(?:freundlichen?|besten?|vielen?|lieben?|herzlichen?
      |schönen?)\ gr(?:ü|ue)(?:ß|ss)en?
      |mfg|vg|lg|gr(?:ü|ue)(?:ß|ss)e|gru(?:ß|ss)|(?:bien\ )?cordialement|(?:sincères
      |meilleures)\ salutations|salutations|bien\ à\ vous
      |(?:un\ )?(?:cordial\ )?saludos?(?:\ cordiales)?|atentamente|cordiali\ saluti|distinti\ saluti|saluti
      |atenciosamente|cumprimentos|att|abraços|(?:met\ )?vriendelijke\ groet(?:en)?|mvg|groet(?:en|jes)?
      |(?:med\ )?vänlig(?:a)?\ hälsning(?:ar)?|(?:med\ )?venlig\ hilsen|(?:med\ )?vennlig\ hilsen|mvh|hilsen
      |z\ poważaniem|pozdrawiam
      |s\ pozdravem|ystävällisin\ terveisin|с\ уважением|saygılarımla|よろしくお願い(?:いた)?します。?|敬具
      |此致|谢谢|祝好|감사합니다\.?
    )[,.!\ ]*(?:[-–,]?\ ?[A-ZÀ-Þ][\w.'-]+(?:\ [A-ZÀ-Þ][\w.'-]+){0,2})?$""",
    re.IGNORECASE | re.VERBOSE,
)
_SENT_FROM = re.compile(
    r"^(?:sent (?:from|via|with)|get outlook for|gesendet (?:von|mit)|von (?:meinem|unterwegs)"
    r"|envoyé (?:de|depuis|à partir)|télécharge[rz] outlook"
    r"|enviado (?:desde|do|a partir)|inviato da|verzonden (?:vanaf|met)|skickat från|sendt fra"
    r"|wysłan[eo] z|odesláno z"
    r"|lähetetty|отправлено (?:с|из)|iphone ?から送信|发自我的|從我的|나의 .* 보냄)\b.{0,80}$",
    re.IGNORECASE,
)
_DISCLAIMER = re.compile(
    r"""^[*\ ]*(?:(?:confidentiality|disclaimer|privileged|legal\ notice|privacy\ notice)\b.{0,40}[:：]?
    |(?:caution|warning|achtung|external|attention|vorsicht)\s*[:：\]-].{0,40}(?:e-?mail|sender|absender
    |expéditeur|organi[sz]ation|link|externe)
    |.{0,30}(?:this|the\ information\ in\ this|any)\ (?:e-?mail|message|communication|transmission)\b.{0,120}
      (?:confidential|privileged|intended\ (?:only|solely|for)|virus|originated)
    |diese\ (?:e-?mail|nachricht).{0,120}(?:vertraulich|empfänger|bestimmt)|ce\ (?:message|courriel
    |mail).{0,120}(?:confidentiel|destinataire)
    |este\ (?:mensaje|correo|e-?mail|mensagem).{0,120}(?:confidencial|destinat)|questo\ (?:messaggio
    |e-?mail).{0,120}(?:riservat|confidenzial|destinatari)
    |dit\ (?:e-?mail)?bericht.{0,120}(?:vertrouwelijk|bestemd)
    |(?:please\ )?(?:consider|think\ of)\ the\ environment\ before\ printing
    |if\ you\ (?:are\ not\ the\ intended|have\ received\ this)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_POSTSCRIPT = re.compile(r"^p\.?\ ?s\.?\b\W?", re.IGNORECASE)


class Parts(NamedTuple):
    """What a writer says, and what is set apart."""

    own: str
    quoted: str


class _Split(NamedTuple):
    """Lines of the writer, lines that are quoted, and those of a mail below its header."""

    own: list[str]
    apart: list[str]
    mail: list[str]
    is_forward: bool
    """It says of itself that it is passed on."""


def parts_of(text: str, *, subject: str = "") -> Parts:
    """A cleaned text in its two parts.

    A mail that is passed on with few words of one's own is what its writer means, so it counts as own. Where nothing
    else is left, everything does.
    """
    own, apart, forwarded, is_marked = _split(text.split("\n"))
    own, signed = _without_signature(own)
    words = len({word for line in own for word in line.split()})
    is_passed_on = words <= 3 or (words < FEW_WORDS and _FORWARDING_SUBJECT.search(subject))
    if forwarded and (is_passed_on or (is_marked and words < MARKED_WORDS)):
        inner = parts_of("\n".join(forwarded))
        return Parts(_joined([*own, "", inner.own]), _joined([*signed, *apart, inner.quoted]))
    if not any(map(_says, own)):
        return Parts(text, "")
    return Parts(_joined(own), _joined([*signed, *apart, *forwarded]))


def _says(line: str) -> bool:
    return any(map(str.isalnum, line))


def _joined(lines: Sequence[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _split(lines: list[str]) -> _Split:
    own: list[str] = []
    apart: list[str] = []
    at = 0
    while at < len(lines):
        if (body := _mail_begins(lines, at)) > at:
            mail = [line.lstrip("> ") for line in lines[body:]]
            return _Split(own, [*apart, *lines[at:body]], mail, _is_passed_on(lines[at:body]))
        if (body := _attribution_ends(lines, at)) > at:
            apart += lines[at:body]
            if not _next_line(lines, body).startswith(">"):
                return _Split(own, apart + lines[body:], [], is_forward=False)
            at = body
            continue
        is_quote = lines[at].startswith(">") and not (
            own and own[-1] and not apart and not _is_quoted(lines[at - 1], own)
        )
        (apart if is_quote else own).append(lines[at] if is_quote else lines[at].lstrip("> "))
        at += 1
    return _Split(own, apart, [], is_forward=False)


def _is_passed_on(head: Sequence[str]) -> bool:
    """It says so, or its header was typed: mail programs write the instant into that of a mail one answers."""
    kinds = {found.lastgroup for line in head if (found := _HEADER.match(line))}
    return bool(_FORWARD.match(head[0])) or ("from" in kinds and "sent" not in kinds)


def _is_quoted(line: str, own: Sequence[str]) -> bool:
    """Whether the line before is none of the writer's. Right below a line of theirs `>` marks what they were told."""
    return line.lstrip("> ") != own[-1]


def _mail_begins(lines: list[str], at: int) -> int:
    """Where the body of a mail begins whose mark or header stands here; `at` if none does."""
    if _REPLY_ABOVE.match(lines[at]):
        return at + 1
    if not (_FORWARD.match(lines[at]) or _MARK.match(lines[at])):
        return max(_header_ends(lines, at), _notes_header_ends(lines, at))
    below = at + 1
    while below < len(lines) and not lines[below].strip("> "):
        below += 1
    return max(at + 1, _header_ends(lines, below))


def _header_ends(lines: list[str], at: int) -> int:
    """After a block of `From:`, `Sent:`, `To:`, `Subject:` in one of the languages that begins here; else `at`.

    `From` and `To` alone are no header: so are firewall rules written.
    """
    kinds: set[str | None] = set()
    end = at
    for line in lines[at : at + 10]:
        if not (found := _HEADER.match(line)):
            if not line.strip("> ") or len(kinds) < 2:
                break
            continue  # an address list that goes on
        kinds.add(found.lastgroup)
        end = lines.index(line, end) + 1
    return end if {"from"} <= kinds and kinds & {"sent", "subject"} else at


def _notes_header_ends(lines: list[str], at: int) -> int:
    """After a block of name, date, `To` and `Subject`, each with what it says below or beside it, that begins here;
    else `at`."""
    head = list(takewhile(bool, lines[at : at + 3]))
    if not head or _A_SENTENCE.search(head[0]) or not any(_NOTES_DATE.search(line[:200]) for line in head):
        return at
    has_address = False
    for place in range(at + 1, min(len(lines), at + NOTES_LINES)):
        has_address = has_address or bool(_NOTES_TO.match(lines[place]))
        if has_address and (found := _NOTES_SUBJECT.match(lines[place])):
            is_beside = bool(lines[place][found.end() :].strip())
            below = next((row for row in range(place + 1, len(lines)) if lines[row]), place)
            return place + 1 if is_beside else below + 1
    return at


def _next_line(lines: list[str], at: int) -> str:
    return next((line for line in lines[at:] if line), "")


def _attribution_ends(lines: list[str], at: int) -> int:
    """After a line such as `On Monday, Ana wrote:` that begins here, broken in up to three; else `at`."""
    whole = ""
    for number, line in enumerate(lines[at : at + 3], start=1):
        whole = f"{whole} {line.lstrip('> ')}".strip()
        if number == 1 and not whole:
            return at
        if whole.endswith((":", "：")):
            is_named = number == 1 and _NAMED.match(whole) and _next_line(lines, at + 1).startswith(">")
            return at + number if is_named or _ATTRIBUTION.match(whole) else at
        if not _ATTRIBUTION_BEGINS.match(whole):
            return at
    return at


def _without_signature(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines of the writer, and those of the signature and of disclaimers."""
    own: list[str] = []
    apart: list[str] = []
    at, has_begun = 0, False
    while at < len(lines):
        line = lines[at]
        has_begun = has_begun or bool(own and _says(own[-1]))
        if _DASHES.match(line) and has_begun:
            after = [(_POSTSCRIPT.match(other) is not None) for other in lines[at:]]
            later = at + after.index(True) if True in after else len(lines)
            apart, at = apart + lines[at:later], later
        elif _SENT_FROM.match(line) or _DISCLAIMER.match(line):
            ends = _paragraph_ends(lines, at) if _DISCLAIMER.match(line) else at + 1
            apart, at = apart + lines[at:ends], ends
        elif has_begun and _CLOSING.match(line):
            ends = _signature_ends(lines, at + 1)
            apart, at = apart + lines[at:ends], ends
        else:
            own.append(line)
            at += 1
    return own, apart


def _paragraph_ends(lines: list[str], at: int) -> int:
    return next((place for place in range(at, len(lines)) if not lines[place]), len(lines))


def _signature_ends(lines: list[str], at: int) -> int:
    """Before the first line that reads like a sentence or a postscript, at most so many lines further."""
    for place in range(at, min(len(lines), at + LONGEST_SIGNATURE + 4)):
        line = lines[place]
        if _POSTSCRIPT.match(line) or len(line.split()) >= SENTENCE or line.endswith(("?", "!")):
            return place
    return min(len(lines), at + LONGEST_SIGNATURE + 4)
