// Keep a job's progress current: ask once a second until it has ended, then load the page anew.
const box = document.getElementById("job-live");
if (box && box.dataset.final !== "true") {
  const ask = async () => {
    try {
      const answer = await fetch(box.dataset.url, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        const job = await answer.json();
        box.querySelector("progress").value = job.percent ?? 0;
        box.querySelector("[data-words]").textContent = job.words;
        if (job.final) { location.reload(); return; }
      }
    } catch (error) { /* the server may be restarting: ask again */ }
    setTimeout(ask, 1000);
  };
  setTimeout(ask, 1000);
}
