"""Pictures: the README's, and with HUIKE_SCREENSHOTS=<folder> those of every page, to be looked at.

``make screenshot`` writes the README's.
"""

import os
from pathlib import Path

import pytest

from tests.browser.conftest import NARROW, WIDE
from tests.browser.pages import NAMES, address_of

MOST_BYTES = 400_000
README = Path("docs/images")
WANTED = os.environ.get("HUIKE_SCREENSHOTS", "")


def steady(page) -> None:
    """Wait until fonts and charts have settled."""
    page.wait_for_load_state("networkidle")
    page.evaluate("() => document.fonts.ready")


def test_the_readmes_picture_is_small_enough(open_page, tmp_path):
    page = open_page("en", (1280, 1000))
    page.goto("/admin/")
    steady(page)
    folder = README if Path(WANTED) == README else tmp_path
    folder.mkdir(parents=True, exist_ok=True)

    page.screenshot(path=folder / "dashboard.png")

    content = (folder / "dashboard.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert 20_000 < len(content) < MOST_BYTES


if WANTED and Path(WANTED) != README:

    @pytest.mark.parametrize("colours", ["light", "dark"])
    @pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1280", "390"])
    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    def test_pictures_of_every_page(open_page, language, size, colours):
        page = open_page(language, size, color_scheme=colours)
        folder = Path(WANTED)
        folder.mkdir(parents=True, exist_ok=True)

        for name in NAMES:
            page.goto(address_of(name))
            steady(page)
            # As high as the page, so that bars fixed to the bottom cover nothing.
            height = min(page.evaluate("() => document.documentElement.scrollHeight"), 4000)
            page.set_viewport_size({"width": size[0], "height": max(height, size[1])})
            dark = "-dark" if colours == "dark" else ""
            page.screenshot(path=folder / f"{name}-{language}-{size[0]}{dark}.png")
            page.set_viewport_size({"width": size[0], "height": size[1]})
