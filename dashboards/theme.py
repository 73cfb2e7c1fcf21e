"""The colours of pages and charts: those of `.streamlit/config.toml` beside the pages, light and dark."""

import tomllib
from pathlib import Path
from typing import Any

import streamlit as st

CONFIG = Path(__file__).parent / ".streamlit" / "config.toml"
_THEME: dict[str, Any] = tomllib.loads(CONFIG.read_text("utf-8"))["theme"]
LIGHT: dict[str, Any] = _THEME["light"]
DARK: dict[str, Any] = _THEME["dark"]
BLUE, GREEN, ORANGE, VERMILLION, PURPLE, GREY = MARKS = tuple(map(str, _THEME["chartCategoricalColors"]))
"""The same in both themes: whoever switches sees a drawn chart go on in the other."""
ON_PRIMARY = {"light": "#ffffff", "dark": DARK["backgroundColor"]}
"""Text on the primary colour, which Streamlit makes white whatever it stands on."""


def style() -> None:
    """What Streamlit's theming has no option for, on every page."""
    colour = f"color: light-dark({ON_PRIMARY['light']}, {ON_PRIMARY['dark']})"
    st.html(f"<style>[data-testid^='stBaseButton-primary'], [data-tag] {{ {colour} }}</style>")
