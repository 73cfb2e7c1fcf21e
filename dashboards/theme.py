"""The colours of pages: those of `.streamlit/config.toml` beside the pages, light and dark."""

import tomllib
from pathlib import Path
from typing import Any

import streamlit as st

CONFIG = Path(__file__).parent / ".streamlit" / "config.toml"
_THEME: dict[str, Any] = tomllib.loads(CONFIG.read_text("utf-8"))["theme"]
LIGHT: dict[str, Any] = _THEME["light"]
DARK: dict[str, Any] = _THEME["dark"]
ON_PRIMARY = {"light": "#ffffff", "dark": DARK["backgroundColor"]}
"""Text on the primary colour, which Streamlit makes white whatever it stands on."""


LINK = {"light": LIGHT["linkColor"], "dark": DARK["linkColor"]}
STYLE = f"""<style>
[data-testid^=stBaseButton-primary], [data-tag] {{ color: light-dark({ON_PRIMARY["light"]}, {ON_PRIMARY["dark"]}) }}
[data-testid=stMain] [data-testid=stPageLink-NavLink] {{ padding: 0 }}
[data-testid=stMain] [data-testid=stPageLink-NavLink] p, [data-testid=stMain] [data-testid=stBaseButton-tertiary] p {{
  color: light-dark({LINK["light"]}, {LINK["dark"]}); text-decoration: underline
}}
[data-testid=stMainBlockContainer] {{ padding-inline: clamp(1rem, 2.5vw, 5rem) }}
</style>"""
"""What Streamlit's theming has no option for: the ink of primary buttons, links to pages that look like links, and
margins that leave a laptop's width to the tables."""


def style() -> None:
    """On every page, in the theme that it is drawn in."""
    overlay = f"[data-testid=stPopoverBody] {{ color-scheme: {st.context.theme.type or 'normal'} }}"
    st.html(f"{STYLE}<style>{overlay}</style>")  # popovers stand outside of what Streamlit tells its scheme
