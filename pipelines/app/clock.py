"""The time of a home: the machine's; on a home of the demo the sample's, which runs on from where it was set."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from pydantic import ValidationError

from engine.contracts import Frozen, Instant
from engine.shared.errors import BadInput
from engine.shared.policy_file import first_wrong
from engine.shared.whole_file import whole_file
from pipelines.app.settings import Settings

FILE = "clock.json"
AT_REST = timedelta(hours=12)
"""A demo that was set longer ago than this is set again by the next command, as by a start of the dashboard."""


class DemoClock(Frozen):
    """At the machine's time `set_at` it was `at`; `began_at` is the instant of the sample. `store` says which database
    it is the time of: "" is the one in the home, others go by a digest of their address."""

    began_at: Instant
    at: Instant
    set_at: Instant
    store: str = ""

    def now(self, real: datetime) -> datetime:
        return self.at + max(real - self.set_at, timedelta(0))

    def is_at_rest(self, real: datetime) -> bool:
        return real - self.set_at > AT_REST


def now(settings: Settings, *, real: datetime | None = None) -> datetime:
    """The instant that it is in this home, when the machine's clock says `real`. Raises BadInput as `demo_clock`."""
    real = real or datetime.now(UTC)
    clock = demo_clock(settings)
    return clock.now(real) if clock else real


def demo_clock(settings: Settings) -> DemoClock | None:
    """None on a home that has the machine's time: one without the file, or whose file is of another database. Raises
    BadInput for a damaged file."""
    file = settings.home / FILE
    try:
        found = DemoClock.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise BadInput(f"{file}: {first_wrong(error)}; `helmdesk demo` writes it anew") from None
    return found if found.store == _store(settings) else None


def set_demo_clock(settings: Settings, *, began_at: datetime, at: datetime, real: datetime | None = None) -> None:
    """From now on it is `at` in this home, and time runs on from there."""
    clock = DemoClock(began_at=began_at, at=at, set_at=real or datetime.now(UTC), store=_store(settings))
    with whole_file(settings.home / FILE) as unfinished:
        unfinished.write_text(clock.model_dump_json(), encoding="utf-8")


def _store(settings: Settings) -> str:
    return sha256(settings.database_url.encode()).hexdigest() if settings.database_url else ""
