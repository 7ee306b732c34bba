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
}

document.addEventListener("DOMContentLoaded", () => {
  const content = document.getElementById("content");
  if (content) {
    content.setAttribute("role", "main");
    content.tabIndex = -1;
  }
  nameControls();
  const live = document.getElementById("huike-live");
  const news = [...document.querySelectorAll("[data-announce]")].map((part) => part.textContent.trim());
  // A live region speaks only of what changes after it was there.
  if (live && news.length) setTimeout(() => { live.textContent = news.join(" "); }, 300);
});
// The theme's date fields get their calendars when everything has loaded.
window.addEventListener("load", () => setTimeout(nameControls));
