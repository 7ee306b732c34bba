// Offer the browser's own time zone where the server knows none; what was typed stays.
const zone = document.getElementById("id_zone");
if (zone && (zone.value === "" || zone.value === "UTC") && !zone.hasAttribute("aria-invalid")) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const known = [...document.querySelectorAll("#zones option")].some((option) => option.value === own);
  if (known) zone.value = own;
}
