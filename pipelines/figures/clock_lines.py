"""A ticket's clocks drawn over time: what was counted, paused and out of hours, and where the target was used up."""

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import Any

import altair as alt
import polars as pl

from pipelines.figures import palette, words

OVER = "beyond the target"
COLOURS = {
    "counted": palette.BLUE, OVER: palette.VERMILLION, "paused": palette.ORANGE, "stopped": palette.PURPLE,
    "out of hours": "#8a949b",
}  # fmt: skip


def name_of(ledger: Any) -> str:
    return words.CLOCKS[ledger.clock.value] + (f", window {ledger.window}" if ledger.window > 1 else "")


def picture(found: Iterable[Any], now: datetime) -> Any:
    """A lane a clock: what was counted within and beyond the target, paused and out of hours; marks where the target
    was used up or falls due, and now."""
    lanes = list(found)
    rows = [{"clock": name_of(ledger), **part} for ledger in lanes for part in parts(ledger)]
    ends = [(name_of(one), one.used_up_at, one.row["due_at"]) for one in lanes]
    marks = [
        {"clock": lane, "at": used_up or due, "what": "target used up" if used_up else "due"}
        for lane, used_up, due in ends
        if used_up or due
    ]
    order = [name_of(ledger) for ledger in lanes]
    lane = alt.Y("clock:N", sort=order, title=None, axis=alt.Axis(labelLimit=160))
    shown = list(dict.fromkeys(row["what"] for row in rows))
    scale = alt.Scale(domain=shown, range=[COLOURS[what] for what in shown])
    moment = "%a %d %b, %H:%M"
    bars = (
        alt.Chart(pl.DataFrame(rows))
        .mark_bar(height=16)
        .encode(
            x=alt.X("start:T", title=None, axis=alt.Axis(labelOverlap=True, labelSeparation=12)),
            x2="end:T",
            y=lane,
            color=alt.Color("what:N", title=None, scale=scale, legend=alt.Legend(orient="top", columns=2)),
            opacity=alt.when(alt.datum.what == "out of hours").then(alt.value(0.35)).otherwise(alt.value(1)),
            tooltip=["clock:N", "what:N", alt.Tooltip("start:T", format=moment), alt.Tooltip("end:T", format=moment)],
        )
    )
    schema: dict[str, Any] = {"clock": pl.String, "at": pl.Datetime("us", "UTC"), "what": pl.String}
    ticks = (
        alt.Chart(pl.DataFrame(marks, schema))
        .mark_tick(thickness=3, size=28, color=palette.VERMILLION)
        .encode(x="at:T", y=lane, tooltip=["what:N", alt.Tooltip("at:T", format=moment)])
    )
    present = alt.Chart(pl.DataFrame({"at": [now]})).mark_rule(color=palette.GREY, strokeDash=[4, 3])
    is_running = any(ledger.row["stopped_at"] is None for ledger in lanes)
    layers = [bars, ticks, *([present.encode(x="at:T")] if is_running else [])]
    return alt.layer(*layers).properties(height=alt.Step(40), width="container")


def parts(ledger: Any) -> list[dict[str, Any]]:
    """The stretches of a clock: start, end, what; counting is cut where the target was used up, days are not."""
    used_up = ledger.used_up_at
    found: list[dict[str, Any]] = []
    for entry in ledger.entries:
        cuts = [entry.start, *([used_up] if used_up and entry.start < used_up < entry.end else []), entry.end]
        for start, end in pairwise(cuts):
            is_over = entry.kind == "counted" and used_up is not None and start >= used_up
            what = OVER if is_over else words.plain(entry.kind)
            if found and found[-1]["what"] == what and found[-1]["end"] == start:
                found[-1]["end"] = end
            else:
                found.append({"start": start, "end": end, "what": what})
    return found
