"""Whoever reads a page can read all of it, in the light and in the dark."""

import tomllib
from itertools import product

import pytest

from dashboards import theme
from pipelines.figures import palette

TEXT, MARK = 4.5, 3.0
"""Least contrasts of WCAG 2.2: text (1.4.3, AA) and graphical objects (1.4.11)."""
FADED = 0.6
"""How strongly Streamlit draws captions."""
HUES = ("red", "orange", "yellow", "blue", "green", "violet", "gray")
THEMES = {"light": theme.LIGHT, "dark": theme.DARK}


def channels(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def luminance(colour: list[float]) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(front: str, back: str, *, strength: float = 1.0) -> float:
    """Of a colour drawn so strongly on the other; after WCAG 2.2, 1 to 21."""
    behind = channels(back)
    drawn = [strength * f + (1 - strength) * b for f, b in zip(channels(front), behind, strict=True)]
    darker, lighter = sorted((luminance(drawn), luminance(behind)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def backgrounds(name: str) -> set[str]:
    colours = THEMES[name]
    parts = (colours, colours["sidebar"])
    return {part[key] for part in parts for key in ("backgroundColor", "secondaryBackgroundColor")}


@pytest.mark.parametrize("name", THEMES)
def test_text_links_and_captions_can_be_read(name: str) -> None:
    for key, back in product(("textColor", "linkColor", "primaryColor"), backgrounds(name)):
        assert contrast(THEMES[name][key], back) >= TEXT, (key, back)
    for back in backgrounds(name):
        assert contrast(THEMES[name]["textColor"], back, strength=FADED) >= TEXT, back


@pytest.mark.parametrize("name", THEMES)
def test_primary_buttons_can_be_read(name: str) -> None:
    assert contrast(theme.ON_PRIMARY[name], THEMES[name]["primaryColor"]) >= TEXT


@pytest.mark.parametrize(("name", "hue"), list(product(THEMES, HUES)))
def test_badges_and_messages_can_be_read(name: str, hue: str) -> None:
    colours = THEMES[name]
    for back in (colours[f"{hue}BackgroundColor"], *backgrounds(name)):
        assert contrast(colours[f"{hue}TextColor"], back) >= TEXT, back


@pytest.mark.parametrize(("name", "mark"), list(product(THEMES, palette.MARKS)))
def test_marks_of_charts_stand_out(name: str, mark: str) -> None:
    assert contrast(mark, THEMES[name]["backgroundColor"]) >= MARK


def test_charts_that_streamlit_draws_have_the_same_colours() -> None:
    assert tuple(tomllib.loads(theme.CONFIG.read_text("utf-8"))["theme"]["chartCategoricalColors"]) == palette.MARKS
