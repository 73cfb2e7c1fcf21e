"""The cards of a board, to be dragged: a component that draws text as text and moves nothing by itself.

A drop is told to the page, which asks the desk; a card stands where the desk has it. Keys: arrows go from card to card,
Alt with left or right moves a card, Enter opens its ticket.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent
_draw = st.components.v2.component(
    "board_cards",
    css=(_HERE / "board_cards.css").read_text("utf-8"),
    js=(_HERE / "board_cards.js").read_text("utf-8"),
)


def board_cards(columns: list[dict[str, Any]], *, key: str, can_move: bool, on_move: Callable[[], None]) -> Any:
    """Draws them; the answer has `opened`, a ticket, and `more`, a column, in the run after that click.

    A column has `name`, `title`, `count`, `note`, `is_over`, `more` and `lanes` (`title` and `cards`: `id`,
    `reference`, `subject`, `facts`, `left`, `state`, `seen`). `st.session_state[key].moved` is what was dropped:
    `ticket`, `to`, `seen`.
    """
    data = {"columns": columns, "can_move": can_move}
    return _draw(key=key, data=data, on_moved_change=on_move, on_opened_change=_nothing, on_more_change=_nothing)


def _nothing() -> None:
    return None
