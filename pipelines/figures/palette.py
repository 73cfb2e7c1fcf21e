"""The colours of marks in pictures, apart for colour-blind readers on light and dark: after Okabe and Ito."""

BLUE, GREEN, ORANGE, VERMILLION, PURPLE, GREY = MARKS = (
    "#1f83c0", "#00956c", "#b97a00", "#d55e00", "#c266a0", "#75828c",
)  # fmt: skip
"""The same in both themes: whoever switches sees a drawn picture go on in the other. The configuration of the
dashboards has them too."""
