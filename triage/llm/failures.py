"""Why an answer of a hosted model can't be used, in words that can be counted and told."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, NamedTuple


class Reason(StrEnum):
    OVER_BUDGET = "the day's budget is used"
    GIVEN_UP = "failed too often"
    RATE_LIMITED = "rate limited"
    TIMED_OUT = "timed out"
    NO_TURN = "no turn within the deadline"
    CUT_OFF = "line cut in the middle of an answer"
    UNREACHABLE = "not reachable"
    SERVER_ERROR = "server error"
    REDIRECTED = "sent elsewhere, which is not followed"
    NO_ACCESS = "no access"
    NOT_ACCEPTED = "request not accepted"
    REFUSED = "refused to answer"
    TRUNCATED = "cut short"
    EMPTY = "empty answer"
    INVALID = "not the shape asked for"
    UNFIT = "beyond its sources"
    MISSING = "its number is missing"
    TWICE = "its number comes twice"
    OFF_TAXONOMY = "a label outside the taxonomy"


HOPELESS = frozenset({Reason.TIMED_OUT, Reason.UNREACHABLE, Reason.NO_ACCESS, Reason.REDIRECTED})
"""The next request would fare no better: not asked again in the same batch."""
PASSING = frozenset({Reason.UNREACHABLE, Reason.RATE_LIMITED, Reason.SERVER_ERROR, Reason.CUT_OFF})
"""Worth the same request again in a moment."""
UNANSWERED = PASSING - {Reason.CUT_OFF} | {Reason.NO_ACCESS, Reason.NOT_ACCEPTED, Reason.REDIRECTED}
"""Nobody pays for these. A call that timed out or was cut off may have been paid for."""
OF_CONTENT = frozenset({Reason.NOT_ACCEPTED, Reason.REFUSED, Reason.TRUNCATED, Reason.EMPTY, Reason.INVALID})
"""The server works, but not with these tickets in one prompt: worth asking about each by itself."""


class Failure(NamedTuple):
    """What one model did not manage; `detail` is the vendor's error by name."""

    model: str
    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.model}: {self.reason}{f' ({self.detail})' if self.detail else ''}"


class Unusable(Exception):
    """An answer that came, and can't be used."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


def reason_of(error: Exception) -> Reason:
    """Vendors share no base class: told by HTTP status, else by the names of the error's classes and its causes'."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        if status == 429:
            return Reason.RATE_LIMITED
        if status >= 500:
            return Reason.SERVER_ERROR
        if 300 <= status < 400:
            return Reason.REDIRECTED
        return Reason.NOT_ACCEPTED if status in OF_THE_REQUEST else Reason.NO_ACCESS
    names = " ".join(kind.__name__ for one in _with_causes(error) for kind in type(one).__mro__)
    for word, reason in _BY_NAME:
        if word in names:
            return reason
    return Reason.INVALID


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__


OF_THE_REQUEST = frozenset({400, 413, 422})
"""HTTP statuses that speak of this request (too long, filtered) and not of the account."""
_BY_NAME = (
    ("Timeout", Reason.TIMED_OUT),
    ("RemoteProtocolError", Reason.CUT_OFF),
    ("ReadError", Reason.CUT_OFF),
    ("Connect", Reason.UNREACHABLE),
    ("LengthFinishReason", Reason.TRUNCATED),
    ("ContentFilterFinishReason", Reason.REFUSED),
    ("Refusal", Reason.REFUSED),
)


def detail_of(error: Exception) -> str:
    status = getattr(error, "status_code", None)
    return f"{type(error).__name__}, HTTP {status}" if isinstance(status, int) else type(error).__name__


def tokens_of(error: Exception) -> tuple[Any, Any] | None:
    """What an answer cost, by its server, that a vendor's client raises for: it is paid all the same."""
    usage: Any = getattr(getattr(error, "completion", None), "usage", None)
    return (getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)) if usage else None


def pause_before(again: int, error: Exception | None) -> float:
    """Seconds before a request is made again for the `again`th time: what Retry-After says, else .5, 1, 2 and so on."""
    headers: Any = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        seconds = _until(headers.get("retry-after", ""))
    return seconds if math.isfinite(seconds) and seconds >= 0 else 0.5 * 2 ** (again - 1)


def _until(instant: str) -> float:
    """Seconds until an HTTP date; not a number for anything else."""
    try:
        return (parsedate_to_datetime(instant) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return math.nan
