// Improves pages that work without it; nothing here is needed.
"use strict";

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A hand-over (all launches of the user) and a log-out (one launch) cover the pages that other tabs still show: those go
// and ask for themselves again.
const { launch, covered } = document.body.dataset;
if (covered !== undefined) new BroadcastChannel(`imr-${covered}`).postMessage("covered");
for (const name of launch === undefined ? [] : ["imr-", `imr-${launch}`]) {
  new BroadcastChannel(name).addEventListener("message", () => {
    document.body.hidden = true;
    location.replace(location.pathname + location.search); // a reload would send a form again
  });
}

// A printed record shows what is folded on the screen.
const opened = new Set();
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open])")) {
    opened.add(details);
    details.open = true;
  }
});
addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
  opened.clear();
});
