// Search the words on their page: a word stays when its name or its meaning holds what was typed.
const search = document.getElementById("term-search");
const words = document.getElementById("term-words");
const none = document.getElementById("term-none");
const entries = [...document.querySelectorAll("[data-term]")];

function narrow() {
  const wanted = words.value.trim().toLowerCase();
  for (const entry of entries) entry.hidden = !entry.textContent.toLowerCase().includes(wanted);
  for (const section of document.querySelectorAll(".huike-terms > section"))
    section.hidden = !section.querySelector("[data-term]:not([hidden])");
  none.hidden = entries.some((entry) => !entry.hidden);
}

search.hidden = false;
search.addEventListener("submit", (event) => event.preventDefault());
words.addEventListener("input", narrow);
// A link to a word that the search has hidden shows everything again.
window.addEventListener("hashchange", () => {
  words.value = "";
  narrow();
});
