"""What should I do next? The work queue by section, the highest score first; a row opens its ticket."""

import math
from datetime import datetime

import polars as pl
import streamlit as st

from dashboards import cards, opening, queries, words
from pipelines.marts import MartReader

ROWS = 50


def page() -> None:
    st.title("What should I do next?")
    house = opening.house()
    reader = opening.marts(house)
    if reader is None:
        cards.nothing_yet()
        return
    cards.speaks_of(reader.publication, house.now(), "open tickets, the highest priority score first")
    kept = filters(reader)
    section = sections(reader, kept)
    total = opening.ask(queries.queue_sizes, reader, kept)[section]
    if not total:
        st.info("No ticket of this section fits the filters.")
        return
    number = turn_to(section, kept, total)
    found = opening.ask(queries.work_queue, reader, section, kept, page=number, size=ROWS)
    table(found, reader.publication.as_of)


def filters(reader: MartReader) -> queries.QueueFilter:
    offered = opening.ask(queries.choices, reader)
    names = opening.ask(queries.group_names, reader)
    groups, owners, products, priorities = st.columns(4)
    return queries.QueueFilter(
        groups=cards.choose(groups, "Group", offered["groups"], names),
        owners=cards.choose(owners, "Agent", offered["owners"]),
        products=cards.choose(products, "Product", offered["products"]),
        priorities=cards.choose(priorities, "Priority", words.in_order(offered["priorities"], words.RANKS)),
    )


def sections(reader: MartReader, kept: queries.QueueFilter) -> str:
    """The section the reader looks at; each says how many tickets it holds."""
    sizes = opening.ask(queries.queue_sizes, reader, kept)
    return (
        st.segmented_control(
            "Section",
            list(queries.SECTIONS),
            format_func=lambda section: f"{queries.SECTIONS[section]} ({sizes[section]:,})",
            default="needs_attention",
            required=True,
            key="section",
            persist_state="session",
            label_visibility="collapsed",
        )
        or "needs_attention"
    )


def turn_to(section: str, kept: queries.QueueFilter, total: int) -> int:
    """The number of the page that was turned to."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        line = st.empty()
        pages = math.ceil(total / ROWS)
        number = st.pagination(pages, key=f"page of {section} {kept}") if pages > 1 else 1
        first = (number - 1) * ROWS
        line.caption(f"{total:,} tickets, rows {first + 1:,} to {min(first + ROWS, total):,}, highest score first")
    return number


def table(rows: pl.DataFrame, as_of: datetime) -> None:
    shown = rows.select(
        reference="reference",
        subject="subject",
        priority=pl.concat_str("priority", pl.when("vip").then(pl.lit(", VIP")).otherwise(pl.lit(""))),
        score="score",
        due=cards.due_in_words("next_due_at", "seconds_left", as_of),
        group=pl.coalesce("group_name", "group_id"),
        product="product",
        confidence=(pl.col("confidence") * 100).round(6).floor(),
        clock=pl.col("next_clock").replace(words.CLOCKS),
        agent="owner_id",
        reply=pl.when("has_suggestion").then(pl.lit("draft ready")),
    )
    column = st.column_config
    cards.tickets_table(
        shown,
        rows["ticket"].to_list(),
        key="opened",
        subject=column.TextColumn(width=250),
        score=column.NumberColumn(format="%.0f", help="priority score: base times its multipliers"),
        confidence=column.ProgressColumn("sure", format="%.0f %%", min_value=0, max_value=100, width=80),
    )


page()
