// Improves forms that work without it: each answer is kept as it is given, and 1 to 5 answer the question in focus.
"use strict";

const form = document.querySelector("form[data-keep]");
const status = document.querySelector(".kept");

function tell(message, failed) {
  if (!status) return;
  status.textContent = message;
  status.toggleAttribute("data-failed", failed);
}

// One after another: a quick second choice must not be overtaken by the first.
let queue = Promise.resolve();

function keep(name, value) {
  const body = new FormData();
  body.set("csrf", form.elements.csrf.value);
  body.set(name, value);
  queue = queue.then(async () => {
    try {
      const reply = await fetch(form.dataset.keep, { method: "POST", body, redirect: "error" });
      if (!reply.ok) throw new Error(String(reply.status));
      tell(status.dataset.kept, false);
    } catch {
      tell(status.dataset.notKept, true);
    }
  });
}

if (form) {
  let typing;
  form.addEventListener("change", (event) => {
    if (event.target.type === "radio") keep(event.target.name, event.target.value);
    else if (event.target.name === "comment") keep("comment", event.target.value);
  });
  form.addEventListener("input", (event) => {
    if (event.target.name !== "comment") return;
    clearTimeout(typing);
    typing = setTimeout(() => keep("comment", event.target.value), 1500);
  });

  const items = [...form.querySelectorAll("fieldset.item")];
  const hint = document.querySelector("[data-keys]");
  if (hint) hint.hidden = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const item = event.target.closest?.("fieldset.item");
    if (!item || !/^[1-5]$/.test(event.key)) return;
    const choice = item.querySelectorAll("input[type=radio]")[Number(event.key) - 1];
    if (!choice) return;
    event.preventDefault();
    choice.checked = true;
    choice.focus();
    choice.dispatchEvent(new Event("change", { bubbles: true }));
    const next = items[items.indexOf(item) + 1];
    if (next) (next.querySelector("input:checked") ?? next.querySelector("input")).focus();
  });
}
