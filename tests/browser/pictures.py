"""Pictures of what staff see: each walk's telling steps, and those the documentation shows.

A walk's pictures lie in its test's folder, so that a failure can be looked at, or in the folder
``HUIKE_SCREENSHOTS``; with ``docs/images`` there only the chosen ones are written.
"""

import os
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page

from tests.browser.watching import faults

MOST_BYTES = 400_000
DOCS = Path("docs/images")
WANTED = os.environ.get("HUIKE_SCREENSHOTS", "")
CHOSEN = {
    "dashboard": ("en", 1280),
    "customer": ("en", 1280),
    "customer-phone": ("zh-hans", 390),
    "tickets": ("en", 1280),
    "backtest": ("en", 1280),
    "churn-reasons": ("en", 1280),
    "import-errors": ("en", 1280),
    "saved-view": ("zh-hans", 390),
    "bulk-confirm": ("en", 1280),
    "export": ("en", 1280),
    "audit": ("en", 1280),
    "setup": ("zh-hans", 1280),
}
"""The pictures of the documentation: in which language and how wide each of them is."""

Take = Callable[..., None]


def steady(page: Page) -> None:
    """Wait until fonts and charts have settled."""
    page.wait_for_load_state("networkidle")
    page.evaluate("() => document.fonts.ready")


def album(page: Page, language: str, folder: Path) -> Take:
    """Return what takes a picture of a step: it must be whole, and small enough to be kept."""
    width = (page.viewport_size or {"width": 0})["width"]

    def take(name: str, at: Locator | None = None, *, height: int = 0) -> None:
        """Take what is in sight, from ``at`` on; what is there is held to ``faults``."""
        assert faults(page) == []
        if WANTED:
            steady(page)
        before = page.viewport_size
        if height and width > 1000:
            page.set_viewport_size({"width": width, "height": height})
        if at is not None:
            # The head of the page stays where it is and covers what is right below it.
            at.evaluate("(it) => scrollTo(0, it.getBoundingClientRect().top + scrollY - 96)")
        if WANTED:
            page.wait_for_timeout(150)
        content = page.screenshot(animations="disabled", caret="hide")
        if before:
            page.set_viewport_size(before)
        assert content.startswith(b"\x89PNG")
        assert 5_000 < len(content) < MOST_BYTES, (name, len(content))
        is_chosen = CHOSEN.get(name) == (language, width)
        if Path(WANTED) != DOCS:
            (Path(WANTED or folder) / f"{name}-{language}-{width}.png").write_bytes(content)
        elif is_chosen:
            (DOCS / f"{name}.png").write_bytes(content)

    return take
