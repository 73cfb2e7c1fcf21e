"""Take in what other systems posted: each receipt once, read by its source's plugin."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from typing import Any

from engine.access import ApiKey
from engine.contracts import Delivery, IngestReport, Rejected
from engine.plugins.ports import SourcePlugin, storable
from engine.plugins.registry import source_names
from engine.plugins.webhook import StandardTicketSource, is_standard, with_receipt_time
from engine.shared.errors import BadInput, Busy, HelmdeskError
from engine.storage.receipts import INGESTED, REJECTED, Finding, Unread
from pipelines.app.container import App
from pipelines.app.locks import alone
from pipelines.jobs.ingest import completed, take_in

BATCH = 200
"""Receipts that are read and stored at a time."""


def take_in_receipts(app: App, *, limit: int = BATCH) -> IngestReport | None:
    """The first receipts that wait, in the order in which they came; None if none does.

    What can't be read is kept among the rejected rows with its reason, and its receipt says so too. A process killed in
    between leaves receipts that are taken in again, which changes nothing. The caller holds the lock `receipts`.
    """
    waiting = app.receipts.waiting(limit)
    if not waiting:
        return None
    plugins = source_names(app.settings.data / "mappings")
    with_keys = (key.source for key in app.store.all(ApiKey) if key.source)
    owned = frozenset({*plugins, *with_keys, *app.settings.webhook_secrets})
    plugin = cache(partial(_plugin, app, frozenset(plugins)))
    read = [_read(app, receipt, plugin, owned) for receipt in waiting]
    store = partial(_store, app, completed(app))
    try:
        report = store(read)
    except BadInput as error:  # one of them the database refuses
        if len(waiting) > 1:
            return take_in_receipts(app, limit=len(waiting) // 2)
        read = [Delivery(rejected=(_rejected(waiting[0], str(error), {}),))]
        report = store(read)
    app.receipts.mark(_finding(receipt, delivery) for receipt, delivery in zip(waiting, read, strict=True))
    return report


def _store(app: App, complete: Callable[[Delivery], Delivery], read: Sequence[Delivery]) -> IngestReport:
    whole = Delivery(
        tickets=tuple(ticket for each in read for ticket in each.tickets),
        events=tuple(event for each in read for event in each.events),
        rejected=tuple(refused for each in read for refused in each.rejected),
    )
    return take_in(app, complete(whole), at=app.now())


def take_in_all_receipts(app: App) -> IngestReport:
    """What waits; nothing where somebody else is at it, such as the service."""
    report = IngestReport()
    with suppress(Busy), alone(app, "receipts"):
        while (some := take_in_receipts(app)) is not None:
            report += some
    return report


def read_payload(body: bytes) -> dict[str, Any]:
    """The JSON object that was posted. Raises BadInput."""
    try:
        payload = json.loads(body.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"the body is no JSON in UTF-8: {error}") from None
    if not isinstance(payload, dict):
        raise BadInput(f"the body is a {type(payload).__name__}; a JSON object is expected")
    return payload


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _plugin(app: App, registered: frozenset[str], name: str, *, standard: bool) -> SourcePlugin:
    """The source's own; for a StandardTicket, which any source may send, that of StandardTicket."""
    own = app.source(name) if name in registered or not standard else None
    return own if own and (not standard or isinstance(own, StandardTicketSource)) else StandardTicketSource(name)


def _read(app: App, receipt: Unread, plugin: Any, owned: frozenset[str]) -> Delivery:
    origin, payload = f"receipt {receipt.id}", {}
    try:
        payload = read_payload(receipt.body)
        source: SourcePlugin = plugin(receipt.source, standard=is_standard(payload))
        if isinstance(source, StandardTicketSource):
            payload = with_receipt_time(payload, receipt.received_at, source=receipt.source)
        delivery = source.parse(payload)
    except Exception as error:  # one message that a plugin can't bear must not hold up all others
        if not isinstance(error, HelmdeskError):
            app.log.warning("receipt can't be read", receipt=receipt.id, exc_info=True)
        reason = str(error) if isinstance(error, HelmdeskError) else f"{type(error).__name__}: {error}"
        return Delivery(rejected=(_rejected(receipt, reason, payload),))
    foreign = {one.key for one in delivery.tickets if _is_foreign(one.source, receipt.source, owned)}
    refused = [one.model_copy(update={"origin": origin}) for one in delivery.rejected]
    refused += [_rejected(receipt, _not_its_own(key, receipt.source), payload) for key in sorted(foreign)]
    return Delivery(
        tickets=tuple(one for one in delivery.tickets if one.key not in foreign),
        events=tuple(one for one in delivery.events if one.ticket_id not in foreign),
        rejected=tuple(refused),
    )


def _is_foreign(source: str, sender: str, owned: frozenset[str]) -> bool:
    """Whether a source is another than the sender that posts here or has a plugin; what was taken down at the desk is
    nobody's to send."""
    from engine.desk.tickets import SOURCE

    return source == SOURCE or (source != sender and source in owned)


def _not_its_own(key: str, source: str) -> str:
    return f"{key} is a ticket of another source, which {source} may not write; send it with that source's key"


def _rejected(receipt: Unread, reason: str, payload: Mapping[str, Any]) -> Rejected:
    return Rejected(
        source=receipt.source, origin=f"receipt {receipt.id}", row=None, reason=reason, content=storable(payload)
    )


def _finding(receipt: Unread, delivery: Delivery) -> Finding:
    reasons = "; ".join(one.reason for one in delivery.rejected) or None
    return Finding(receipt.id, INGESTED if delivery.tickets or delivery.events else REJECTED, reasons)
