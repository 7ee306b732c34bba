// What the theme's pages lack: the main landmark, names for icons, and reading out what happened.
function nameControls() {
  for (const icon of document.querySelectorAll(".material-symbols-outlined")) icon.ariaHidden = "true";
  // A link that says something beside its icon is named by that.
  for (const icon of document.querySelectorAll("a > span[title]:only-child")) {
    const link = icon.parentElement;
    if (link.textContent.trim() === icon.textContent.trim()) link.ariaLabel = icon.title;
  }
  for (const field of document.querySelectorAll("input[placeholder]")) {
    if (field.labels.length || field.ariaLabel) continue;
    const row = field.closest(".field-line")?.querySelector("label, .label")?.textContent.trim() ?? "";
    field.ariaLabel = `${row} ${field.placeholder}`.trim();
  }
  // A hint that is only a sign: what it says belongs to a picture, not to plain text.
  for (const hint of document.querySelectorAll(".help-tooltip[aria-label]")) hint.role = "img";
}

// What scrolls sideways is reached by the keyboard too, and has the name of what it is in.
function openScrolls() {
  for (const scroll of document.querySelectorAll(".huike-scroll:not([tabindex])")) {
    const part = scroll.closest(".huike-card, .huike-section, section, details");
    const name = part?.querySelector("h2, h3, summary") ?? document.querySelector("h1");
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.ariaLabel = name?.textContent.trim() ?? document.title;
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const content = document.getElementById("content");
  if (content) {
    content.setAttribute("role", "main");
    content.tabIndex = -1;
  }
  nameControls();
  openScrolls();
  const live = document.getElementById("huike-live");
  const news = [...document.querySelectorAll("[data-announce]")].map((part) => part.textContent.trim());
  // A live region speaks only of what changes after it was there.
  if (live && news.length) setTimeout(() => { live.textContent = news.join(" "); }, 300);
});
// The theme's date fields get their calendars when everything has loaded.
window.addEventListener("load", () => setTimeout(nameControls));
