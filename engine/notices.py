"""What one person is told at once: a message made of all news that are due together, short enough to be read."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from engine.contracts import Frozen, Instant
from engine.notifications import ChannelName, NotificationPolicy, QueuedNotification

INBOX = "inbox"
"""The destination of what is read in the desk itself; it has taken a notice once that is written."""
ROOM = "#"
"""How the name of a room begins that a team reads together."""
LONGEST_LINE, LONGEST_SUBJECT = 300, 150


class Notice(Frozen):
    """One message to one person; `id` goes with it to every channel, `news` counts what it tells of.

    `sent_at` is when its destination took it, `read_at` when the person marked it as read.
    """

    id: str
    agent_id: str
    channel: ChannelName
    destination: str
    subject: str
    text: str
    news: int
    created_at: Instant
    sent_at: Instant | None = None
    read_at: Instant | None = None


def notice_of(
    batch: Sequence[QueuedNotification], *, destination: str, at: datetime, policy: NotificationPolicy
) -> Notice:
    """The message of a batch, all of one agent and channel. The same rows give the same key."""
    first = batch[0]
    ids = "\n".join(sorted(row.id for row in batch))
    key = f"{first.agent_id}/{hashlib.sha256(ids.encode()).hexdigest()[:24]}"
    ordered = sorted(batch, key=lambda row: (row.event_type not in policy.urgent, row.created_at))
    news = sum(_weight(row) for row in batch)
    lines = list(_lines(ordered, policy.first_few))
    if news > policy.first_few:
        lines.append(f"All of it: helmdesk desk notice news {key} --by {first.agent_id}")
    return Notice(
        id=key,
        agent_id=first.agent_id,
        channel=first.channel,
        destination=destination,
        subject=_subject(ordered, news),
        text="\n".join(lines),
        news=news,
        created_at=at,
    )


def message_of(row: QueuedNotification) -> str:
    """What one row says, on one line."""
    return _one_line(row.payload.get("message") or row.event_type.replace("_", " "))


def _subject(rows: Sequence[QueuedNotification], news: int) -> str:
    if len(rows) == 1:
        return message_of(rows[0])[:LONGEST_SUBJECT]
    counts = Counter[str]()
    for row in rows:
        counts[row.event_type] += _weight(row)
    parts = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in counts.most_common())
    return f"{news:,} notices: {parts}"[:LONGEST_SUBJECT]


def _lines(rows: Sequence[QueuedNotification], first_few: int) -> Iterator[str]:
    for row in rows[:first_few]:
        yield message_of(row)
        yield from _details(row.payload, first_few)
    if len(rows) > first_few:
        yield f"and {len(rows) - first_few:,} more"


def _details(payload: dict[str, Any], first_few: int) -> Iterator[str]:
    """The facts beside the message, the worst of a digest, what is suggested."""
    if facts := payload.get("facts"):
        yield _one_line("  " + " · ".join(f"{name}: {value}" for name, value in facts.items() if value is not None))
    for alert in payload.get("worst", ())[:first_few]:
        yield _one_line("  {reference} ({priority}): {clock}, {left}".format_map(alert).replace("_", " "))
    if suggested := payload.get("suggests"):
        yield _one_line(f"  suggested: {', '.join(suggested).replace('_', ' ')}")


def _weight(row: QueuedNotification) -> int:
    """Of how many news a row speaks; a digest of alerts says so itself."""
    count = row.payload.get("alerts", 1)
    return count if isinstance(count, int) else 1


def _one_line(text: str) -> str:
    """Without line breaks, control and direction signs: people write tickets, and not all of them mean well."""
    words = " ".join(str(text).split())
    line = "".join(letter for letter in words if letter.isprintable())
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"
