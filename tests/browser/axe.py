"""axe-core, asked about a page as it stands: the rules of WCAG 2.2 at A and AA."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import pytest
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
ASK = """async (tags) => {
  const found = await axe.run(document, {
    runOnly: {type: "tag", values: tags}, resultTypes: ["violations"], preload: false,
  });
  return found.violations.flatMap((rule) => rule.nodes.map((node) => {
    const why = [...node.any, ...node.all, ...node.none].map((check) => check.message).join("; ");
    return `${rule.id}: ${node.html.slice(0, 200)} | ${why.slice(0, 300)}`;
  }));
}"""
STILL = "*, ::before, ::after {transition: none !important}"
PAINT = """(colours) => document.documentElement.classList.toggle("dark", colours === "dark")"""


def violations(page: Page) -> list[str]:
    """Return what breaks a rule on the page, in dark and in light colours, one line each."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_script())
        page.add_style_tag(content=STILL)
    found = []
    for colours in ("dark", "light"):
        page.evaluate(PAINT, colours)
        found += [f"{colours}: {broken}" for broken in page.evaluate(ASK, TAGS)]
    return found


def fail_for(found: Mapping[str, list[str]]) -> None:
    """Fail, and say all that is wrong, page by page."""
    lines = [f"{name}: {broken}" for name, each in found.items() for broken in each]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


@cache
def _script() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text()
