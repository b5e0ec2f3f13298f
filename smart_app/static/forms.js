// Improves forms that work without it: each answer is kept as it is given, 1 to 5 answer the question in focus, and a
// form with data-submit is sent as soon as it is there.
"use strict";

const form = document.querySelector("form[data-keep]");
const kept = document.querySelector("[data-kept]");

function tell(message, failed) {
  kept.textContent = message;
  kept.toggleAttribute("data-failed", failed);
}

document.querySelector("form[data-submit]")?.requestSubmit();

// One after another: a quick second choice must not be overtaken by the first. What is on its way when the window is
// closed still arrives (keepalive).
let queue = Promise.resolve();

function keep(name, value) {
  const body = new FormData();
  body.set("csrf", form.elements.csrf.value);
  body.set(name, value);
  queue = queue.then(async () => {
    try {
      const reply = await fetch(form.dataset.keep, { method: "POST", body, redirect: "error", keepalive: true });
      tell(reply.ok ? kept.dataset.kept : reply.status === 400 ? await reply.text() : kept.dataset.notKept, !reply.ok);
    } catch {
      tell(kept.dataset.notKept, true);
    }
  });
}

function keepComments(comment) {
  let waiting;
  function now() {
    if (waiting === undefined) return;
    clearTimeout(waiting);
    waiting = undefined;
    keep("comment", comment.value);
  }
  comment.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(now, 1500);
  });
  comment.addEventListener("change", now);
  addEventListener("pagehide", now);
}

// "–" is what the screen shows beside "not applicable", the last answer of question 13.
function chosenBy(key, item) {
  const answers = [...item.querySelectorAll("input")];
  if (/^[1-5]$/.test(key)) return answers[Number(key) - 1];
  return key === "-" ? answers[5] : undefined;
}

function answerByKeys() {
  const items = [...form.querySelectorAll("fieldset.item")];
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const fresh = event.target === document.body; // nothing has focus yet: the first open question is meant
    const item = fresh ? items.find((each) => !each.querySelector(":checked")) : event.target.closest("fieldset.item");
    const choice = item && chosenBy(event.key, item);
    if (!choice) return;
    event.preventDefault();
    choice.checked = true;
    choice.focus();
    choice.dispatchEvent(new Event("change", { bubbles: true }));
    const next = items[items.indexOf(item) + 1];
    const onward = next ? (next.querySelector("input:checked") ?? next.querySelector("input")) : form.elements.comment;
    onward?.focus();
  });
}

if (form) {
  form.addEventListener("change", ({ target }) => {
    if (target.type === "radio") keep(target.name, target.value);
  });
  if (form.elements.comment) keepComments(form.elements.comment);
  answerByKeys();
  for (const hint of document.querySelectorAll("[data-keys]")) hint.hidden = false;
}
