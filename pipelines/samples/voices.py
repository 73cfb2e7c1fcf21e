"""How customers write: the terse admin, the angry manager, the pasted log, the thread, the agent's phone note."""

from collections.abc import Callable
from typing import NamedTuple

from engine.contracts import TicketType
from pipelines.samples.phrases import Speaker


class Text(NamedTuple):
    subject: str
    body: str


class Writer(NamedTuple):
    """Who writes, how pressing it truly is, and whether an error code is quoted."""

    speaker: Speaker
    name: str
    urgency: str
    quotes_code: bool


class Voice(NamedTuple):
    """A way of writing, with its share of all tickets and the channels it comes by."""

    write: Callable[[Writer], Text]
    weight: float
    channels: tuple[str, ...]
    type: TicketType = TicketType.INCIDENT


def terse_admin(w: Writer) -> Text:
    say = w.speaker
    body = [say.about("admin"), *_some(w, ("tried", 0.6), ("details", 0.4)), *_code(w), *_log(w, 0.25)]
    body += [_urgency(w)] * say.chance(0.35) + [say.about("asks")] * say.chance(0.35)
    return Text(_subject(w), ("\n" if say.chance(0.3) else " ").join(body) + _signature(w, 0.25))


def narrative(w: Writer) -> Text:
    say = w.speaker
    facts = [say.about("admin" if say.chance(0.6) else "user"), *_some(w, ("details", 0.8)), *_code(w)]
    facts += [say.common("contexts")] * say.chance(0.6) + [say.about("admin")] * say.chance(0.25)
    second = _some(w, ("tried", 0.85), ("details", 0.4), ("tried", 0.35)) + [_urgency(w)] * say.chance(0.75)
    return Text(_subject(w), _mail(w, " ".join(facts), " ".join(second), say.about("asks")))


def plain_user(w: Writer) -> Text:
    say = w.speaker
    body = [say.about("user"), *_code(w), *_some(w, ("details", 0.45), ("user", 0.25), ("tried", 0.3))]
    body += [say.common("contexts")] * say.chance(0.6) + [_urgency(w)] * say.chance(0.65)
    return Text(_subject(w, vague=0.3), _mail(w, " ".join(body), say.about("asks") if say.chance(0.3) else ""))


def angry_manager(w: Writer) -> Text:
    say = w.speaker
    body = [say.common("angry_openings"), say.about("user"), *_code(w), *_some(w, ("user", 0.3), ("details", 0.4))]
    body += [_urgency(w)] * say.chance(0.75) + [say.common("angry_demands")]
    text = " ".join(body)
    subject = _subject(w, vague=0.25)
    if say.chance(0.35):
        subject = subject.upper() + "!" * say.rng.randrange(1, 4)
    return Text(subject, text + _signature(w, 0.6))


def non_native(w: Writer) -> Text:
    say = w.speaker
    facts = [say.common("kind_openings"), say.about("user" if say.chance(0.6) else "admin"), *_code(w)]
    more = [say.common("contexts"), *_some(w, ("details", 0.7), ("tried", 0.7))]
    more += [_urgency(w)] * say.chance(0.5)
    body = _mail(w, _simplify(say, " ".join(facts)), _simplify(say, " ".join(more)), say.common("kind_closings"))
    return Text(_subject(w), body)


def log_paster(w: Writer) -> Text:
    say = w.speaker
    lines = [say.about("logs")] + [say.common("filler_logs") for _ in range(say.rng.randrange(1, 4))]
    lines += [say.about("logs")] * say.chance(0.7)
    say.rng.shuffle(lines)
    if w.quotes_code:
        lines[0] = f"{lines[0]} {say.common('code_logs')}"
    intro = say.about("admin") if say.chance(0.6) else ""
    parts = [intro, say.common("log_intros"), *lines, say.common("log_outros"), _urgency(w) if say.chance(0.4) else ""]
    return Text(_subject(w), "\n".join(filter(None, parts)))


def forwarded_thread(w: Writer) -> Text:
    say = w.speaker
    subject = _subject(w, vague=0.15)
    colleague, sender = say.name("person"), say.name("person2")
    head = f"{say.common('forward_heads')}\nFrom: {sender}\nTo: {colleague}\nSubject: {subject}\n"
    inner = [say.about("user"), *_code(w), *_some(w, ("user", 0.3), ("details", 0.7))] + [_urgency(w)] * say.chance(0.6)
    parts = [
        say.common("forward_openings"),
        *_some(w, ("tried", 0.4)),
        "",
        head,
        " ".join(inner),
        "",
        sender.split()[0],
    ]
    if say.chance(0.55):
        parts += ["", f"> {say.common('replies')}"] + [f"> > {say.common('replies')}"] * say.chance(0.4)
    return Text(say.rng.choice(("FW: ", "Fwd: ", "WG: ", "RE: FW: ", "TR: ")) + subject, "\n".join(parts))


def phone_note(w: Writer) -> Text:
    say = w.speaker
    customer_lines = [say.about("user"), *_some(w, ("details", 0.7), ("user", 0.25), ("tried", 0.4)), *_code(w)] + [
        _urgency(w)
    ] * say.chance(0.6)
    agent_lines = [say.common("phone_notes")] + [say.common("phone_notes")] * say.chance(0.5)
    customer, agent = say.rng.choice(
        (("- ", "- "), ("* ", "* "), ("", ""), ("Cust: ", "Me: "), ("> ", ""), ("C: ", "A: "))
    )
    lines = [*(customer + line for line in customer_lines), *(agent + line for line in agent_lines)]
    return Text(_subject(w), "\n".join([say.common("phone_openings"), *lines]))


def chat(w: Writer) -> Text:
    say = w.speaker
    lines = [say.common("chat_openings"), *_in_bits(say.about("user")), *_code(w), say.common("chat_fillers")]
    lines += _some(w, ("details", 0.4)) + [_urgency(w)] * say.chance(0.45)
    lines += [say.common("chat_fillers")] * say.chance(0.6)
    small = [line if say.chance(0.3) else line[:1].lower() + line[1:].rstrip(".") for line in lines]
    return Text(_subject(w, vague=0.35) if say.chance(0.6) else small[1][:70], "\n".join(small))


def portal_form(w: Writer) -> Text:
    say = w.speaker
    heads = [head.strip() for head in say.common("form_heads").split("|")]
    answers = [
        " ".join(
            [say.about("admin" if say.chance(0.5) else "user"), *_code(w), *_some(w, ("details", 0.7), ("user", 0.2))]
        ),
        say.common("expectations"),
        say.about("tried") if say.chance(0.8) else "-",
    ]
    fields = [f"{head}: {answer}" for head, answer in zip(heads, answers, strict=True)]
    fields += [say.common("form_extras") for _ in range(say.rng.randrange(1, 4))]
    fields += [_urgency(w)] * say.chance(0.5)
    return Text(_subject(w), "\n".join(fields))


def question(w: Writer) -> Text:
    say = w.speaker
    body = [say.common("question_openings"), say.about("questions")]
    body += [say.about("questions")] * say.chance(0.3) + _some(w, ("details", 0.2)) + _code(w)
    body += [say.common("question_closings")] * say.chance(0.8)
    text = " ".join(body)
    subject = _subject(w, vague=0.2) if say.chance(0.5) else f"Question: {_subject(w)}"
    return Text(subject, _mail(w, text) if say.chance(0.6) else text)


def follow_up(w: Writer) -> Text:
    say = w.speaker
    body = [say.common("follow_openings"), say.about("user" if say.chance(0.5) else "admin"), *_code(w)]
    body += _some(w, ("tried", 0.7), ("details", 0.7)) + _log(w, 0.2) + [_urgency(w)] * say.chance(0.6)
    return Text(say.rng.choice(("RE: ", "Re: ", "AW: ", "")) + _subject(w), _mail(w, " ".join(body)))


def monitoring_alert(w: Writer) -> Text:
    say = w.speaker
    fields = [say.common("alert_fields") for _ in range(say.rng.randrange(2, 5))]
    log = say.about("logs") + (f" {say.common('code_logs')}" if w.quotes_code else "")
    head = say.common("alert_heads")
    people = [f"comment by {say.name('user')}: {_urgency(w)}"] * say.chance(0.4)
    return Text(f"{head[:90]}" if say.chance(0.5) else _subject(w), "\n".join([head, log, *fields, *people]))


def change_request(w: Writer) -> Text:
    say = w.speaker
    body = [say.common("change_openings"), say.about("changes")]
    body += [say.common("change_closings") for _ in range(say.rng.randrange(1, 3))] + [_urgency(w)] * say.chance(0.25)
    return Text(("Change: " if say.chance(0.5) else "") + _subject(w), "\n".join(body) + _signature(w, 0.5))


def recurring(w: Writer) -> Text:
    say = w.speaker
    body = [
        say.common("recurring_openings"),
        say.about("admin"),
        *_code(w),
        *_some(w, ("details", 0.6), ("tried", 0.5)),
    ]
    body += [_urgency(w)] * say.chance(0.5) + [say.common("recurring_asks")]
    return Text(_subject(w), _mail(w, " ".join(body), *_log(w, 0.3)))


VOICES = (
    Voice(terse_admin, 11, ("email", "portal", "portal")),
    Voice(narrative, 14, ("email", "email", "portal")),
    Voice(plain_user, 11, ("email", "portal")),
    Voice(angry_manager, 6, ("email",)),
    Voice(non_native, 8, ("email", "email", "portal")),
    Voice(log_paster, 6, ("portal", "email")),
    Voice(forwarded_thread, 8, ("email",)),
    Voice(phone_note, 9, ("phone",)),
    Voice(chat, 9, ("chat",)),
    Voice(portal_form, 7, ("portal",)),
    Voice(question, 9, ("email", "portal", "chat"), TicketType.REQUEST),
    Voice(follow_up, 5, ("email",)),
    Voice(monitoring_alert, 3.5, ("api",)),
    Voice(change_request, 5, ("portal", "portal", "api"), TicketType.CHANGE),
    Voice(recurring, 4, ("email", "portal"), TicketType.PROBLEM),
)


def _subject(w: Writer, vague: float = 0.08) -> str:
    return w.speaker.common("vague_subjects") if w.speaker.chance(vague) else w.speaker.about("subjects")


def _some(w: Writer, *parts: tuple[str, float]) -> list[str]:
    return [w.speaker.about(part) for part, share in parts if w.speaker.chance(share)]


def _code(w: Writer) -> list[str]:
    return [w.speaker.common("code_phrases")] if w.quotes_code else []


def _log(w: Writer, share: float) -> list[str]:
    return [f"\n{w.speaker.about('logs')}\n"] if w.speaker.chance(share) else []


def _urgency(w: Writer) -> str:
    return w.speaker.pick(w.speaker.book.urgency[w.urgency])


def _mail(w: Writer, *paragraphs: str) -> str:
    greeting = w.speaker.common("greetings") if w.speaker.chance(0.85) else ""
    closing = w.speaker.common("closings") if w.speaker.chance(0.8) else ""
    gap = "\n\n" if w.speaker.chance(0.6) else "\n"
    body = gap.join(paragraph for paragraph in (greeting, *paragraphs, closing) if paragraph)
    return body + _signature(w, 0.75 if closing else 0.4)


def _signature(w: Writer, share: float) -> str:
    say = w.speaker
    if not say.chance(share):
        return ""
    lines = [w.name if say.chance(0.5) else w.name.split()[0]]
    lines += [say.common("titles")] * say.chance(0.35) + [say.common("footers")] * say.chance(0.3)
    return "\n" + "\n".join(lines)


def _in_bits(sentence: str) -> list[str]:
    """A sentence as somebody types it into a chat: cut at its commas."""
    bits = sentence.split(", ")
    return bits if len(bits) <= 3 else [bits[0], ", ".join(bits[1:])]


_SIMPLER = (
    ("We have ", "We are having "),
    (" has been ", " is "),
    ("It is ", "Is "),
    (" the ", " "),
    (" a ", " "),
    (" cannot ", " can not "),
    (" does not ", " is not "),
    ("Please ", "Please kindly "),
    (" since ", " since already "),
)


def _simplify(say: Speaker, text: str) -> str:
    """English as it comes out when it is the third language: here an article missing, there a tense."""
    for plain, odd in _SIMPLER:
        if say.chance(0.45):
            text = text.replace(plain, odd, 2)
    return text
