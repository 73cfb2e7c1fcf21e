"""What should I do next? The work queue by section, the highest score first; a row opens its ticket."""

import math
from datetime import datetime
from typing import Any

import polars as pl
import streamlit as st

from dashboards import cards, opening, pages, queries, sign_in, words
from pipelines.marts import MartReader

ROWS = 50


def page() -> None:
    pages.head("queue")
    app = opening.app()
    sign_in.reader(app, door="queue")
    reader = opening.marts(app)
    if reader is None:
        cards.nothing_yet()
        return
    cards.speaks_of(reader.publication, app.now(), "open tickets, the highest priority score first")
    queue_filter = filters(reader)
    section = sections(reader, queue_filter)
    total = opening.ask(queries.queue_sizes, reader, queue_filter)[section]
    if not total:
        st.info("No ticket of this section fits the filters.")
        return
    number = turn_to(section, queue_filter, total)
    found = opening.ask(queries.work_queue, reader, section, queue_filter, page=number, size=ROWS)
    table(found, reader.publication.as_of, opening.ask(queries.names, reader))


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


def sections(reader: MartReader, queue_filter: queries.QueueFilter) -> str:
    """The section the reader looks at; each says how many tickets it holds."""
    sizes = opening.ask(queries.queue_sizes, reader, queue_filter)
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


def turn_to(section: str, queue_filter: queries.QueueFilter, total: int) -> int:
    """The number of the page that was turned to."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        line = st.empty()
        pages = math.ceil(total / ROWS)
        number = st.pagination(pages, key=f"page of {section} {queue_filter}") if pages > 1 else 1
        first = (number - 1) * ROWS
        shown = f"rows {first + 1:,} to {min(first + ROWS, total):,}"
        line.caption(f"{words.count(total, 'ticket')}, {shown}, highest score first")
    return number


def guess(row: dict[str, Any]) -> str:
    """What a ticket is about and how sure triage is of it; whether a person decides."""
    if row["product"] is None:
        return "–"
    sure = "" if row["confidence"] is None else f" {words.percent(row['confidence'])}"
    return f"{row['product']}{sure}{', for a person' if row['needs_review'] else ''}"


def table(rows: pl.DataFrame, as_of: datetime, names: dict[str, str]) -> None:
    agent, group = pl.col("owner_id").replace(names), pl.coalesce("group_name", "group_id")
    shown = rows.select(
        reference="reference",
        subject="subject",
        priority=pl.concat_str("priority", pl.when("vip").then(pl.lit(", VIP")).otherwise(pl.lit(""))),
        score="score",
        made_of="score_parts",
        due=cards.due_in_words("next_due_at", "seconds_left", as_of),
        clock=pl.col("next_clock").replace(words.CLOCKS),
        about=pl.struct("product", "confidence", "needs_review").map_elements(guess, return_dtype=pl.String()),
        draft="has_suggestion",
        held_by=pl.concat_str(agent, group, separator=", ", ignore_nulls=True),
    )
    column = st.column_config
    cards.tickets_table(
        shown,
        rows["ticket"].to_list(),
        key="opened",
        whole=True,
        reference=column.TextColumn(width=104),
        subject=column.TextColumn(width=140),
        priority=column.TextColumn(width=78),
        score=column.NumberColumn(format="%.0f", help="priority score: base times its multipliers", width=46),
        made_of=column.TextColumn("made of", width=150, help="base of the priority × factors = score"),
        due=column.TextColumn(width=120),
        clock=column.TextColumn(width=92),
        about=column.TextColumn(width=163, help="product, how sure triage is of it, and whether a person decides"),
        draft=column.CheckboxColumn(width=46, help="a drafted reply is ready"),
        held_by=column.TextColumn("held by", width=112, help="the agent who accepted it, and the group"),
    )


page()
