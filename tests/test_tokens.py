"""The colours keep their contrast, the dark theme is one, and nothing is loaded from elsewhere."""

import re
from collections.abc import Iterable

import pytest

from reviewkit.screens import SCREENS, assets

TEXT, CONTROL = 4.5, 3.0
TINTS = ("self", "peer", "teach", "ok", "err")
PAIRS = [
    *((text, on, TEXT) for text in ("ink", "ink-2", "ink-3") for on in ("canvas", "surface", "sunken")),
    *((voice, on, TEXT) for voice in TINTS for on in ("surface", "canvas", f"{voice}-t")),
    *(("ink", f"{tint}-t", TEXT) for tint in TINTS),
    *(("ink-2", f"{tint}-t", TEXT) for tint in TINTS),
    ("btn-on", "btn", TEXT),
    ("ink", "seg", TEXT),
    *((border, on, CONTROL) for border in ("line-2", "focus") for on in ("canvas", "surface")),
]


def blocks() -> list[tuple[str, dict[str, str]]]:
    """The rules of the token file that hold colours: (selector, tokens)."""
    css = re.sub(r"/\*.*?\*/", "", (assets.FOLDER / "tokens.css").read_text("utf-8"), flags=re.DOTALL)
    found = re.findall(r"([^{}]+)\{([^{}]*--canvas[^{}]*)\}", css)
    return [(selector.strip(), dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})\b", body))) for selector, body in found]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


LIGHT, DARK_BY_SYSTEM, DARK_BY_CHOICE = (tokens for _, tokens in blocks())


def test_black_on_white_is_21_to_1() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
@pytest.mark.parametrize("tokens", [LIGHT, DARK_BY_CHOICE], ids=["light", "dark"])
def test_every_pair_that_is_used_can_be_read(tokens: dict[str, str], front: str, back: str, least: float) -> None:
    assert contrast(tokens[front], tokens[back]) >= least


def test_dark_is_the_same_whether_the_system_or_the_reader_wants_it() -> None:
    assert DARK_BY_SYSTEM == DARK_BY_CHOICE
    assert LIGHT.keys() == DARK_BY_CHOICE.keys()


def used(css: str) -> Iterable[str]:
    return re.findall(r"var\(--([\w-]+)", css)


def test_every_token_that_is_used_exists() -> None:
    css = assets.stylesheet(*SCREENS)
    known = set(re.findall(r"--([\w-]+):", css))
    assert set(used(css)) <= known


def test_styles_and_modules_load_nothing_from_other_hosts() -> None:
    css = assets.stylesheet(*SCREENS)
    addresses = re.findall(r"url\(\s*['\"]?([^'\")]+)", css)
    assert addresses
    assert all((assets.FOLDER / address).is_file() for address in addresses)
    assert "@import" not in css
    for screen in SCREENS:
        foreign = re.findall(r"https?://[^\s\"'`]+", assets.module(screen))
        assert set(foreign) <= {"http://www.w3.org/2000/svg"}  # a name of XML, never fetched


def test_every_font_comes_with_its_licence() -> None:
    for font in assets.FONTS.glob("*.woff2"):
        licence = (assets.FONTS / f"{font.stem}.LICENSE.txt").read_text("utf-8")
        assert "SIL Open Font License, Version 1.1" in licence
        assert font.read_bytes()[:4] == b"wOF2"


@pytest.mark.parametrize("screen", SCREENS)
def test_a_page_is_one_module_with_one_default_export(screen: str) -> None:
    module = assets.module(screen)
    assert re.findall(r"^export .*$", module, flags=re.MULTILINE) == re.findall(
        r"^export default .*$", module, flags=re.MULTILINE
    )
    assert len(re.findall(r"^export default ", module, flags=re.MULTILINE)) == 1
    assert not re.findall(r"^import ", module, flags=re.MULTILINE)
