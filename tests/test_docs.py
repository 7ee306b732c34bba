"""The documentation holds together: no link leads nowhere, no page stands alone."""

import re
from pathlib import Path

import pytest

from tests.browser.pictures import CHOSEN, DOCS, MOST_BYTES

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "samples").rglob("*.md")]
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PICTURE = re.compile(r"!\[([^\]]+)\]\((?:docs/)?images/([a-z-]+)\.png\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def links(path: Path) -> list[tuple[Path, str]]:
    """Return the page's relative links as (file, anchor)."""
    text = FENCE.sub("", path.read_text())
    found = [link for link in LINK.findall(text) if not re.match(r"[a-z]+:", link)]
    parts = [link.partition("#") for link in found]
    return [
        ((path.parent / target).resolve() if target else path, anchor)
        for target, _hash, anchor in parts
    ]


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page):
    for target, anchor in links(page):
        assert target.exists(), f"{name(page)} links to {target}, which does not exist"
        if anchor:
            assert anchor in anchors(target), f"{name(page)}: no heading “{anchor}” in {target}"


def test_every_page_can_be_reached_from_the_readme():
    seen, open_pages = set(), [ROOT / "README.md"]
    while open_pages:
        page = open_pages.pop()
        if page not in seen:
            seen.add(page)
            open_pages += [target for target, _anchor in links(page) if target.suffix == ".md"]

    assert set(PAGES) - seen == set()


def test_each_picture_is_small_told_in_words_and_shown_somewhere():
    shown = {name: words for page in PAGES for words, name in PICTURE.findall(page.read_text())}

    assert set(shown) == set(CHOSEN) == {path.stem for path in (ROOT / DOCS).iterdir()}
    for name, words in shown.items():
        content = (ROOT / DOCS / f"{name}.png").read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) < MOST_BYTES, name
        assert len(words.split()) >= 4, f"{name}: {words}"
