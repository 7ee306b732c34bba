// Asks for the dashboard's panels once the page is there, two at a time, and draws their charts.
const AT_ONCE = 2;
const drawn = [];

function colours() {
  const dark = document.documentElement.classList.contains("dark");
  const value = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return {
    fill: value("--color-primary-600") || "#9333ea",
    then: dark ? "#f3f4f6" : "#374151",
    more: dark ? "rgb(168 85 247 / .35)" : "rgb(147 51 234 / .25)",
    text: dark ? "#d1d5db" : "#4b5563",
    grid: "rgb(128 128 128 / .18)",
    paper: dark ? "#111827" : "#ffffff",
  };
}

// A span that is not over yet is hatched: it is told apart without colour.
function hatch(known) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.strokeStyle = known.fill;
  pen.lineWidth = 2;
  for (const shift of [-8, 0, 8]) {
    pen.moveTo(shift, 8);
    pen.lineTo(shift + 8, 0);
  }
  pen.stroke();
  return pen.createPattern(tile, "repeat");
}

function draw(canvas) {
  const config = JSON.parse(canvas.dataset.chart);
  const known = colours();
  const named = { ...known, hatch: hatch(known) };
  const look = (name) => named[name] ?? name;
  for (const row of config.data.datasets)
    for (const part of ["backgroundColor", "borderColor"])
      row[part] = Array.isArray(row[part]) ? row[part].map(look) : look(row[part]);
  for (const axis of Object.values(config.options.scales)) {
    axis.ticks.color = known.text;
    axis.grid = { color: known.grid, ...axis.grid };
  }
  config.options.plugins.legend.labels.color = known.text;
  Chart.getChart(canvas)?.destroy();
  new Chart(canvas, config);
}

function drawAll(part) {
  for (const canvas of part.querySelectorAll("canvas[data-chart]")) {
    draw(canvas);
    drawn.push(canvas);
  }
}

async function load(place) {
  try {
    const answer = await fetch(place.dataset.panel, { headers: { "X-Huike-Fragment": "1" } });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    place.innerHTML = await answer.text();
    drawAll(place);
  } catch {
    const words = document.createElement("p");
    words.className = "huike-note";
    words.textContent = place.dataset.failed;
    place.replaceChildren(words);
  }
  place.ariaBusy = "false";
}

async function loadInTurn(places) {
  for (let place = places.shift(); place; place = places.shift()) await load(place);
}

drawAll(document);
const waiting = [...document.querySelectorAll("[data-panel]")];
for (let number = 0; number < AT_ONCE; number += 1) loadInTurn(waiting);
new MutationObserver(() => drawn.forEach(draw)).observe(document.documentElement, {
  attributes: true,
  attributeFilter: ["class"],
});
