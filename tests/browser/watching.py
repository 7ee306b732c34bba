"""What every page is held to, whatever it shows."""

from playwright.sync_api import ConsoleMessage, Page, Request, Response

FAULTS = """() => {
  const shown = (element) => element.getClientRects().length > 0;
  const named = (element) => element.textContent.trim() || element.getAttribute("aria-label")
    || element.getAttribute("aria-labelledby") || element.title;
  const faults = [];
  const headings = [...document.querySelectorAll("h1")].map((each) => each.textContent.trim());
  if (headings.length !== 1 || !headings[0]) faults.push(`h1: ${JSON.stringify(headings)}`);
  const mains = document.querySelectorAll("main, [role=main]").length;
  if (mains !== 1) faults.push(`main: ${mains}`);
  if (!document.documentElement.lang) faults.push("no language");
  if (!document.title.trim()) faults.push("no title");
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) faults.push(`scrolls sideways: ${wide} in ${innerWidth}`);
  for (const field of document.querySelectorAll("input, select, textarea")) {
    if (field.type === "hidden" || !shown(field)) continue;
    if (!field.labels?.length && !named(field)) faults.push(`no label: ${field.outerHTML}`);
  }
  for (const control of document.querySelectorAll("button, a[href], summary, [role=button]"))
    if (shown(control) && !named(control)) faults.push(`no name: ${control.outerHTML}`);
  const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
  for (const id of new Set(ids))
    if (ids.filter((each) => each === id).length > 1) faults.push(`id twice: ${id}`);
  return faults;
}"""


class Watcher:
    """Writes down what must not happen on a page."""

    def __init__(self, page: Page, address: str) -> None:
        self.address = address
        self.complaints: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("request", self._request)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text} {message.location}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.address}/", "data:", "blob:")):
            self.complaints.append(f"foreign: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")


def faults(page: Page) -> list[str]:
    """Return what is wrong with the page once it is there: headings, labels, names, width."""
    page.wait_for_load_state("load")
    return page.evaluate(FAULTS)
