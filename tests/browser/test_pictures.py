"""Pictures of pages: the documentation's, and with HUIKE_SCREENSHOTS=<folder> those of every page.

``make screenshot`` writes the documentation's, together with the walks'.
"""

from pathlib import Path

import pytest

from analytics.models import ScoringRun
from tests.browser.conftest import NARROW, WIDE
from tests.browser.pages import LISTS, NAMES, address_of
from tests.browser.pictures import CHOSEN, DOCS, WANTED, album, steady


@pytest.mark.parametrize("name", ["dashboard", "customer", "customer-phone", "tickets", "backtest"])
def test_a_page_makes_a_picture_of_the_documentation(open_page, tmp_path, name):
    language, width = CHOSEN[name]
    page = open_page(language, WIDE if width == WIDE[0] else NARROW)
    take = album(page, language, tmp_path)
    address = {
        "tickets": "/admin/customers/ticket/",
        "backtest": f"{LISTS['runs']}{ScoringRun.objects.earliest('pk').pk}/change/",
    }.get(name) or address_of(name.partition("-")[0])

    page.goto(address)
    take(name, height=640 if name == "tickets" else 1000)

    if not WANTED:
        assert [path.name for path in tmp_path.iterdir()] == [f"{name}-{language}-{width}.png"]


if WANTED and Path(WANTED) != DOCS:

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
