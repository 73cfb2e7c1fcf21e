"""What CSS hides from a reader: the properties of one element, read together with what it inherits."""

import colorsys
import math
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, Self

Properties = dict[str, str]
Colour = tuple[float, float, float, float]
"""Red, green and blue from 0 to 255, and how much covers, from 0 to 1."""

SMALLEST: Final = 2.0
"""Pixels of a letter that nobody can read."""
NEAR: Final = 60.0
"""Distance in red, green and blue below which letters are not told from their ground: #ddd on white is."""
FAR: Final = 300.0
"""Pixels off the page."""
MOST_RULES: Final = 500
WHITE: Final[Colour] = (255.0, 255.0, 255.0, 1.0)
BLACK: Final[Colour] = (0.0, 0.0, 0.0, 1.0)
NAMED: Final = {
    "white": "#fff", "snow": "#fffafa", "ivory": "#fffff0", "ghostwhite": "#f8f8ff", "floralwhite": "#fffaf0",
    "whitesmoke": "#f5f5f5", "azure": "#f0ffff", "mintcream": "#f5fffa", "aliceblue": "#f0f8ff", "honeydew":
    "#f0fff0", "seashell": "#fff5ee", "oldlace": "#fdf5e6", "linen": "#faf0e6", "lavenderblush": "#fff0f5", "beige":
    "#f5f5dc", "cornsilk": "#fff8dc", "lightyellow": "#ffffe0", "lightcyan": "#e0ffff", "lavender": "#e6e6fa",
    "gainsboro": "#dcdcdc", "lightgray": "#d3d3d3", "lightgrey": "#d3d3d3", "silver": "#c0c0c0", "darkgray":
    "#a9a9a9", "darkgrey": "#a9a9a9", "gray": "#808080", "grey": "#808080", "dimgray": "#696969", "dimgrey":
    "#696969", "black": "#000", "red": "#f00", "maroon": "#800000", "yellow": "#ff0", "olive": "#808000", "lime":
    "#0f0", "green": "#008000", "aqua": "#0ff", "cyan": "#0ff", "teal": "#008080", "blue": "#00f", "navy":
    "#000080", "fuchsia": "#f0f", "magenta": "#f0f", "purple": "#800080", "orange": "#ffa500", "pink": "#ffc0cb",
    "brown": "#a52a2a", "gold": "#ffd700", "darkblue": "#00008b", "darkgreen": "#006400", "darkred": "#8b0000",
    "midnightblue": "#191970", "lightblue": "#add8e6", "lightgreen": "#90ee90", "tomato": "#ff6347", "crimson":
    "#dc143c",
}  # fmt: skip
"""Names that mails use; of another name only what is the same is known to be the same."""

_DECLARATION = re.compile(r"([\w-]+)\s*:\s*([^;]*)")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_BRACE = re.compile(r"[{}]")
_SCREENS = re.compile(
    r"@(?:layer\b.*|media\s+(?:only\s+)?(?:(?:screen|all)\b|(?=\())(?:\s*(?:and\s*)?\(\s*(?:min-width\s*:\s*[0-3]?\d?\d"
    r"|max-width\s*:\s*[2-9]\d\d\d\d?)(?:px)?\s*\))*)\s*",
    re.IGNORECASE,
)
"""What holds on every screen."""
_VARIABLE_USED = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,([^()]*(?:\([^()]*\))?[^()]*))?\)")
_STEP = re.compile(r"(?:\[[^\]]*\]|[^\s>+~\[])+")
_PART = re.compile(r"[.#]?[\w-]+|\*|\[[^\]]*\]|:not\([.#]?[\w-]+\)|:root")
_ATTRIBUTE = re.compile(r"\[\s*([\w-]+)\s*(?:([~|^$*]?=)\s*[\"']?(.*?)[\"']?\s*(?:\s[is])?)?\]")
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "=": operator.eq,
    "~=": lambda given, word: word in given.split(),
    "|=": lambda given, word: given == word or given.startswith(f"{word}-"),
    "^=": lambda given, word: bool(word) and given.startswith(word),
    "$=": lambda given, word: bool(word) and given.endswith(word),
    "*=": lambda given, word: bool(word) and word in given,
}
_LENGTH = re.compile(r"([-+]?\d*\.?\d+)(px|pt|em|rem|ex|ch|vw|vh|%|cm|mm|in|pc)?(?![\w%])")
_PIXELS = {
    "px": 1,
    "pt": 4 / 3,
    "em": 16,
    "rem": 16,
    "ex": 8,
    "ch": 8,
    "vw": 10,
    "vh": 8,
    "cm": 38,
    "mm": 3.8,
    "in": 96,
}
_NOTHING = re.compile(r"(?:scale(?:3d|x|y)?|matrix(?:3d)?)\(\s*[-+]?0*\.?0+(?:[,)\s])|rotate[xy]\(\s*[-+]?90deg")
_AWAY = re.compile(r"translate(?:x|y|3d)?\(([^)]*)\)")
_CLIPPED = re.compile(
    r"rect\(\s*(0|1px|0px)\D+(0|1px|0px)\D+(0|1px|0px)\D+(0|1px|0px)\s*\)|inset\(\s*(?:5\d|[6-9]\d|100)(?:\.\d+)?%"
    r"|circle\(\s*0|ellipse\(\s*0|polygon\(\s*(?:0\w*[\s,]*)+\)"
)
_RGB = re.compile(r"rgba?\(([^)]*)\)")
_HSL = re.compile(r"hsla?\(([^)]*)\)")
_HEX = re.compile(r"#?([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})(?![\w])")
_NUMBER = re.compile(r"([-+]?\d*\.?\d+)(%|deg)?")


class Look(NamedTuple):
    """How the text right inside an element looks, as far as that hides it."""

    colour: Colour
    ground: Colour
    """Covers all."""
    opacity: float
    pixels: float
    indent: float
    is_shown: bool
    """`visibility`, which an element inside may turn on again."""
    is_gone: bool
    """Nothing inside can be seen, whatever it says."""
    names: tuple[str, str]
    """Colour and ground where they are words nobody knows here."""

    @property
    def is_seen(self) -> bool:
        if self.is_gone or not self.is_shown or self.pixels <= SMALLEST or self.indent <= -FAR:
            return False
        if self.names[0] or self.names[1]:
            return self.names[0] != self.names[1]
        share = self.colour[3] * self.opacity
        return share * math.dist(self.colour[:3], self.ground[:3]) >= NEAR

    def gone(self) -> Self:
        return self._replace(is_gone=True)

    def within(self, given: Properties) -> Self:
        """The look inside an element with these properties, in small letters, that stands in this one."""
        if not given:
            return self
        colour, name = _named(
            given.get("-webkit-text-fill-color") or given.get("color", ""), self.colour, self.names[0]
        )
        ground, ground_name = _named(_ground(given), self.ground, self.names[1])
        if name == "currentcolor":
            colour, name = self.colour, self.names[0]
        return self._replace(
            colour=colour,
            ground=_over(ground, self.ground),
            names=(name, ground_name),
            opacity=self.opacity * _opacity(given),
            pixels=_pixels(given, self.pixels),
            indent=_length(given.get("text-indent", ""), self.indent),
            is_shown=_is_shown(given.get("visibility", ""), self.is_shown),
            is_gone=self.is_gone or _is_gone(given),
        )


PAGE: Final = Look(BLACK, WHITE, opacity=1.0, pixels=16.0, indent=0.0, is_shown=True, is_gone=False, names=("", ""))


class Compound(NamedTuple):
    """What a selector asks of one element: names it must have, and parts such as `[class^=x]` and `:not(.y)`."""

    names: frozenset[str]
    parts: tuple[str, ...] = ()

    def fits(self, names: frozenset[str]) -> bool:
        return self.names <= names and (not self.parts or all(_is_so(part, names) for part in self.parts))


class Rule(NamedTuple):
    """A style rule with one selector: compounds from the outermost to the element itself."""

    compounds: tuple[Compound, ...]
    properties: Properties
    weight: tuple[int, int, int, int]
    """Specificity, then place."""

    def fits(self, names: frozenset[str], above: Sequence[frozenset[str]]) -> bool:
        """Whether it speaks of an element with these names below those; `>`, `+` and `~` are taken for `below`."""
        *outer, own = self.compounds
        if not own.fits(names):
            return False
        around = iter(reversed(above))
        return all(any(compound.fits(entry) for entry in around) for compound in reversed(outer))


def _is_so(part: str, names: frozenset[str]) -> bool:
    if part.startswith(":not("):
        return part[5:-1] not in names
    name, sign, value = _ATTRIBUTE.findall(part)[0]
    given = next((written for written in names if written.startswith(f"[{name}=")), "")
    return bool(given) and _OPERATORS[sign](given[len(name) + 2 : -1], value)


@lru_cache(maxsize=64)
def rules_of(sheet: str) -> dict[str, list[Rule]]:
    """The first 500 rules of a style sheet for screens, by a name of the element they speak of. What is said of one
    state, width or kind of device alone (`:hover`, `@media (max-width: 600px)`) is left out."""
    sheet = _COMMENT.sub(" ", sheet.replace("<!--", " ").replace("-->", " "))
    rules: dict[str, list[Rule]] = {}
    selectors = ((selector, body) for heads, body in _blocks(sheet) for selector in heads.split(","))
    place = 0
    for selector, body in selectors:
        if not (compounds := _compounds(selector)) or not (properties := declarations(body)):
            continue
        parts = [part for compound in compounds for part in (*compound.names, *compound.parts)]
        strength = [sum(part[0] in marks for part in parts) for marks in ("#", ".[:")]
        weight = (*strength, sum(part[0].isalpha() for part in parts), place)
        rules.setdefault(_key(compounds[-1]), []).append(Rule(compounds, properties, weight))  # type: ignore[arg-type]
        place += 1
        if place >= MOST_RULES:
            break
    return rules


def _blocks(sheet: str) -> Iterator[tuple[str, str]]:
    """What stands before and in each pair of braces that holds on every screen; one that is never closed ends with
    the sheet."""
    around: list[str] = []
    at, is_inmost = 0, False
    for brace in [*_BRACE.finditer(sheet), None]:
        text, end = sheet[at : brace.start() if brace else len(sheet)], brace and brace[0]
        if end == "{":
            around.append(text.rpartition(";")[2].strip()[:1000])
        elif around:
            head, holds = around.pop(), all(map(_SCREENS.fullmatch, around))
            if is_inmost and holds and not head.startswith("@"):
                yield head, text
        is_inmost, at = end == "{", brace.end() if brace else at


def _key(compound: Compound) -> str:
    """The rarest of its names."""
    names = {"*", *compound.names, *(f"[{found[1]}]" for part in compound.parts if (found := _ATTRIBUTE.match(part)))}
    return max(names, key=lambda name: ("*[a.#".find("a" if name[0].isalpha() else name[0]), name))


def _compounds(selector: str) -> tuple[Compound, ...]:
    """None for a selector with a part that is not read here."""
    found = []
    for step in _STEP.findall(selector[:500]):
        parts = _PART.findall(step)
        if "".join(parts) != step:
            return ()
        parts = [_as_written(part) for part in parts]
        odd = [part for part in parts if part.startswith(":") or (part.startswith("[") and "=" in part)]
        found.append(Compound(frozenset(parts) - frozenset(odd), tuple(odd)))
    return tuple(found)


def _as_written(part: str) -> str:
    if found := _ATTRIBUTE.fullmatch(part):
        return f"[{found[1].lower()}{found[2] or ''}{found[3] or ''}]"
    return "html" if part == ":root" else part if part[0] in ".#:[" else part.lower()


def with_values(given: Properties, variables: Properties) -> Properties:
    """The properties with `var(--name)` as what it stands for, at most four deep."""
    if not any("var(" in value for value in given.values()):
        return given
    return {name: value if name.startswith("--") else _value(value, variables) for name, value in given.items()}


def _value(value: str, variables: Properties) -> str:
    for _ in range(4):
        if "var(" not in value:
            break
        value = _VARIABLE_USED.sub(lambda found: variables.get(found[1], found[2] or ""), value[:200])
    return value.strip()


def declarations(style: str) -> Properties:
    """Property: value, in small letters, the last said; `!property` for what is `!important`."""
    found = Properties()
    for name, value in _DECLARATION.findall(_COMMENT.sub(" ", style[:5000])):
        plain, mark, _ = value.strip().lower().partition("!")
        found[f"{mark}{name.lower()}"] = plain.strip()
    return found


def decided(given: Properties) -> Properties:
    """What holds: `!important` wins."""
    return given | {name[1:]: value for name, value in given.items() if name.startswith("!")}


def _is_gone(given: Properties) -> bool:
    get = given.get
    if get("display") == "none" or get("mso-hide") == "all" or get("content-visibility") == "hidden":
        return True
    return _is_clipped(given) or _is_off_page(given) or _has_no_room(given)


def _is_clipped(given: Properties) -> bool:
    clip = f"{given.get('clip', '')} {given.get('clip-path', '')} {given.get('-webkit-clip-path', '')}"
    turned = f"{given.get('transform', '')} {given.get('-webkit-transform', '')}"
    flat = {"scale", "zoom"} & given.keys()
    return bool(_CLIPPED.search(clip) or _NOTHING.search(turned)) or any(
        _number(given[name], 1.0) == 0 for name in flat
    )


def _is_off_page(given: Properties) -> bool:
    moved = re.findall(_AWAY, given.get("transform", ""))
    if any(abs(_length(part, 0.0)) >= FAR for parts in moved for part in parts.split(",")):
        return True
    margins = [given.get(f"margin-{side}", "") for side in ("left", "top", "right")] + given.get("margin", "").split()
    if any(abs(_length(part, 0.0)) >= FAR for part in margins if part.startswith("-")):
        return True
    if given.get("position") not in ("absolute", "fixed", "relative"):
        return False
    offsets = [_length(given.get(side, ""), 0.0) for side in ("left", "top", "right", "bottom")]
    return any(offset <= -FAR or offset >= 10 * FAR for offset in offsets) or given.get("z-index", "").startswith("-")


def _has_no_room(given: Properties) -> bool:
    cut = {"hidden", "clip", "auto", "scroll"} & set(
        f"{given.get('overflow', '')} {given.get('overflow-y', '')}".split()
    )
    for name in ("max-height", "max-width", "height", "width"):
        if name in given and _length(given[name], FAR) <= 1 and (cut or name == "max-height"):
            return True
    return bool(cut) and _length(given.get("line-height", ""), FAR) == 0


def _is_shown(value: str, inherited: bool) -> bool:
    return inherited if value in ("", "inherit") else value not in ("hidden", "collapse")


def _opacity(given: Properties) -> float:
    share = min(1.0, max(0.0, _number(given.get("opacity", ""), 1.0)))
    if found := re.search(r"opacity\s*[(=]\s*([\d.]+%?)", given.get("filter", "")):
        stated = _number(found[1], 1.0)
        share *= min(1.0, stated / 100 if "alpha" in given["filter"] else stated)
    return share


def _pixels(given: Properties, inherited: float) -> float:
    size = given.get("font-size") or next(
        iter(re.findall(r"(?:^|\s)([\d.]+[a-z%]*)(?=[\s/]|$)", given.get("font", ""))), ""
    )
    if size in ("", "inherit"):
        return inherited
    if not (found := _LENGTH.fullmatch(size)):
        return 16.0
    if found[2] in ("em", "%"):
        return float(found[1]) * inherited / (100 if found[2] == "%" else 1)
    return _length(size, inherited)


def _length(value: str, otherwise: float) -> float:
    """Pixels; a share of the room there is counts as of 1,000."""
    found = _LENGTH.match(value.strip())
    if not found:
        return otherwise
    return float(found[1]) * (10 if found[2] == "%" else _PIXELS.get(found[2] or "px", 1))


def _number(value: str, otherwise: float) -> float:
    found = _NUMBER.match(value.strip())
    if not found:
        return otherwise
    return float(found[1]) / (100 if found[2] == "%" else 1)


def _ground(given: Properties) -> str:
    return given.get("background-color") or given.get("background", "")


def _named(value: str, inherited: Colour, name: str) -> tuple[Colour, str]:
    """The colour a value names and, where that is not known here, its word."""
    if not value or value in ("inherit", "unset"):
        return inherited, name
    if (colour := _colour(value)) is not None:
        return colour, ("" if colour[3] else name)
    word = value.split(maxsplit=1)[0]
    return inherited, (word if word.isalpha() and word not in ("none", "initial", "auto", "windowtext") else name)


@lru_cache(maxsize=1024)
def _colour(value: str) -> Colour | None:  # noqa: PLR0911
    """The first colour of a value, as of a gradient too; None where none is known."""
    if "transparent" in value:
        return (0.0, 0.0, 0.0, 0.0)
    if found := _RGB.search(value):
        parts = _NUMBER.findall(found[1])
        if len(parts) < 3:
            return None
        red, green, blue = (float(n) * (2.55 if unit == "%" else 1) for n, unit in parts[:3])
        return (red, green, blue, _cover(parts))
    if found := _HSL.search(value):
        parts = _NUMBER.findall(found[1])
        if len(parts) < 3:
            return None
        hue, saturation, light = float(parts[0][0]) / 360 % 1, float(parts[1][0]) / 100, float(parts[2][0]) / 100
        red, green, blue = (255 * part for part in colorsys.hls_to_rgb(hue, min(1, light), min(1, saturation)))
        return (red, green, blue, _cover(parts))
    for word in re.findall(r"#?\w+", value):
        if found := _HEX.fullmatch(NAMED.get(word, word)):
            return _from_hex(found[1])
    return None


def _cover(parts: list[tuple[str, str]]) -> float:
    if len(parts) < 4:
        return 1.0
    return min(1.0, float(parts[3][0]) / (100 if parts[3][1] == "%" else 1))


def _from_hex(digits: str) -> Colour:
    pairs = [digit * 2 for digit in digits] if len(digits) < 5 else re.findall("..", digits)
    red, green, blue, *cover = (int(pair, 16) for pair in pairs)
    return (float(red), float(green), float(blue), cover[0] / 255 if cover else 1.0)


def _over(colour: Colour, ground: Colour) -> Colour:
    share = colour[3]
    red, green, blue = (share * a + (1 - share) * b for a, b in zip(colour[:3], ground[:3], strict=True))
    return (red, green, blue, 1.0)
