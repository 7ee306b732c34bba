// Copy the recovery codes, one a line.
const button = document.getElementById("copy-codes");
button.addEventListener("click", async () => {
  const lines = [...document.querySelectorAll("#codes code")].map((code) => code.textContent);
  await navigator.clipboard.writeText(lines.join("\n"));
  document.getElementById("copied").textContent = button.dataset.done;
});
// The clipboard is there over https and on one's own machine only.
button.hidden = !navigator.clipboard;
