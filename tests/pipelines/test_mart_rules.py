"""Every mart keeps the rules it declares, or nothing is published."""

from collections.abc import Callable, Iterator
from pathlib import Path

import dataframely as dy
import polars as pl
import pytest

from engine.shared.errors import RuleBroken
from pipelines import marts
from pipelines.app.container import App, open_app
from pipelines.cli import exit_code
from pipelines.jobs.ingest import ingest
from pipelines.jobs.people import bring_people
from pipelines.jobs.publish import publish
from pipelines.marts import registry
from pipelines.marts.dictionary import DICTIONARY, README, dictionary, with_table
from pipelines.marts.mart import Mart
from pipelines.marts.registry import MARTS, check
from pipelines.snapshot import Snapshot
from tests.pipelines.small_desk import AS_OF, write_export

ROOT = Path(__file__).resolve().parents[2]
Desk = tuple[App, Snapshot, dict[str, pl.DataFrame]]
STALE = "run `uv run poe dictionary`, which writes it anew"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A fortnight of 60 tickets with its publication: the app, the snapshot and the marts."""
    home: Path = tmp_path_factory.mktemp("home")
    with open_app(home=home, embedder="wordllama") as app:
        bring_people(app, app.settings.data / "people")
        ingest(app, write_export(home / "export", 60), source="helmdesk", at=AS_OF)
        snapshot = Snapshot(app, AS_OF)
        publish(app, snapshot)
        yield app, snapshot, registry.build(snapshot)


def changed(column: str, value: object) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """The frame with another value in its first row."""
    first = pl.int_range(pl.len()) == 0
    return lambda frame: frame.with_columns(
        pl.when(first).then(pl.lit(value, frame.schema[column])).otherwise(column).alias(column)
    )


BREAKS = [
    ("tickets", changed("status", None), "status|nullability"),
    ("tickets", lambda frame: pl.concat([frame, frame.head(1)]), "primary_key"),
    ("sla_clocks", changed("elapsed", -1), "elapsed|min"),
    ("sla_clocks", changed("remaining", 7), "remaining_is_target_less_elapsed"),
    ("sla_clocks", changed("ticket", "northlight:gone"), "every ticket is in tickets"),
    ("work_queue", changed("ticket", "northlight:gone"), "every ticket is in tickets"),
    ("attainment", changed("share_met", 1.5), "share_met|max"),
    ("attainment", changed("low", 1.0), "interval_lies_around_the_share"),
    ("attainment", changed("met", 10_000), "each_clock_is_in_one_state"),
    ("reopens", changed("reopened", 10_000), "reopened_are_of_the_resolved"),
    ("time_in_state", changed("on_calendar", 10_000), "counts_are_of_the_tickets"),
    ("group_load", changed("allocated", 3), "loads_add_up"),
    ("customers", changed("open_cases", 10_000), "open_are_of_the_cases"),
]


@pytest.mark.parametrize(("mart", "break_it", "rule"), BREAKS, ids=[f"{mart}: {rule}" for mart, _, rule in BREAKS])
def test_broken_rule_is_named_with_its_mart(
    desk: Desk, mart: str, break_it: Callable[[pl.DataFrame], pl.DataFrame], rule: str
) -> None:
    frames = desk[2] | {mart: break_it(desk[2][mart])}
    with pytest.raises(RuleBroken) as broken:
        check(frames)
    assert f"the mart {mart} breaks its rule `{rule}`" in str(broken.value)


def test_a_rule_names_the_first_three_keys_and_no_text(desk: Desk) -> None:
    tickets = desk[2]["tickets"]
    with pytest.raises(RuleBroken) as broken:
        check(desk[2] | {"tickets": tickets.with_columns(is_open=pl.lit(None, pl.Boolean))})
    shown = [key in str(broken.value) for key in tickets["ticket"]]
    assert (shown[:3], any(shown[3:])) == ([True] * 3, False)
    assert "in 60 rows" in str(broken.value)
    assert "and 57 more" in str(broken.value)
    assert not [subject for subject in tickets["subject"] if subject and subject in str(broken.value)]
    assert exit_code(broken.value) == 1


def test_a_broken_rule_leaves_the_last_publication_in_force(desk: Desk) -> None:
    app, snapshot, _ = desk
    folder = app.settings.marts_folder
    before, files = marts.current(folder), sorted(folder.rglob("*"))
    negative = snapshot.ticket_clocks.with_columns(elapsed=pl.lit(-5, pl.Int64), remaining=pl.col("target") + 5)
    with pytest.raises(RuleBroken, match=r"the mart sla_clocks breaks its rule `elapsed\|min`"):
        publish(app, snapshot.with_parts(ticket_clocks=negative))
    assert marts.current(folder) == before
    assert sorted(folder.rglob("*")) == files


def test_a_clock_of_an_unknown_ticket_is_not_published(desk: Desk) -> None:
    app, snapshot, _ = desk
    clocks = snapshot.ticket_clocks
    stray = pl.concat([clocks, clocks.head(1).with_columns(ticket=pl.lit("northlight:stray"))])
    with pytest.raises(RuleBroken, match=r"every ticket is in tickets` in 1 row \(ticket northlight:stray,"):
        publish(app, snapshot.with_parts(ticket_clocks=stray))


def test_an_empty_desk_keeps_every_rule(tmp_path: Path) -> None:
    with open_app(home=tmp_path) as app:
        assert set(registry.build(Snapshot(app, AS_OF))) == set(MARTS)


@pytest.mark.parametrize("mart", MARTS.values(), ids=MARTS)
def test_every_column_says_what_it_means(mart: Mart) -> None:
    numbers = (dy.Float64, dy.Datetime, dy.Date)
    columns = mart.rules.columns().items()
    assert not [name for name, column in columns if not column.description or "|" in column.description]
    assert not [name for name, column in columns if isinstance(column, numbers) and not column.metadata]


def test_data_dictionary_is_current() -> None:
    assert (ROOT / DICTIONARY).read_text(encoding="utf-8") == dictionary(), STALE


def test_readme_names_every_mart_with_its_question() -> None:
    readme = (ROOT / README).read_text(encoding="utf-8")
    assert readme == with_table(readme), STALE
    assert not [name for name, mart in MARTS.items() if f"`{name}`" not in readme or mart.question not in readme]
