// Improves forms that work without it: each answer, and what is typed of a goal, is kept as it is given, 1 to 5 answer
// the question in focus, and a form with data-submit is sent as soon as it is there.
"use strict";

const form = document.querySelector("form[data-keep]");
const kept = document.querySelector("[data-kept]");
const whole = form?.dataset.whole !== undefined; // its words belong together, and are kept as one

function tell(message, failed) {
  kept.textContent = message;
  kept.toggleAttribute("data-failed", failed);
}

document.querySelector("form[data-submit]")?.requestSubmit();

// By name, what is not known to be kept yet: what failed goes along with the next. One request at a time, so that a quick
// second choice is not overtaken by the first.
const unkept = new Map();
let newer = false;
let sending = false;

function note(name, value) {
  unkept.set(name, value);
  newer = true;
}

function toSend(sent) {
  if (whole) return new FormData(form);
  const body = new FormData();
  for (const { name, value } of form.querySelectorAll("input[type=hidden]")) body.set(name, value);
  form.elements.sent.value = Number(form.elements.sent.value) + 1; // what leaves later writes over what left before
  for (const [name, value] of sent) body.set(name, value);
  return body;
}

async function send() {
  const sent = new Map(unkept);
  const body = toSend(sent);
  try {
    const reply = await fetch(form.dataset.keep, { method: "POST", body, redirect: "error", keepalive: true });
    const why = [400, 409].includes(reply.status) ? await reply.text() : "";
    tell(reply.ok ? kept.dataset.kept : why || kept.dataset.notKept, !reply.ok);
    if (reply.ok) for (const [name, value] of sent) if (unkept.get(name) === value) unkept.delete(name);
  } catch {
    tell(kept.dataset.notKept, true);
  }
}

async function keep() {
  if (sending) return;
  sending = true;
  while (newer && unkept.size) {
    newer = false;
    await send();
  }
  sending = false;
}

// A window that closes runs nothing that waits for a reply: all that is unkept goes at once, and arrives (keepalive).
function leave() {
  if (unkept.size) send();
}

// What is typed in ``field`` is sent when the hands rest; ``name`` is what it is noted as.
function keepWords(field, name) {
  let waiting;
  field.addEventListener("input", ({ target }) => {
    note(name, target.value);
    clearTimeout(waiting);
    waiting = setTimeout(keep, 1500);
  });
  field.addEventListener("change", keep);
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
  addEventListener("pagehide", leave);
  addEventListener("visibilitychange", () => document.hidden && leave()); // a telephone may end a page without pagehide
}

if (form && whole) {
  keepWords(form, "words");
} else if (form) {
  form.addEventListener("change", ({ target }) => {
    if (target.type !== "radio") return;
    note(target.name, target.value);
    keep();
  });
  if (form.elements.comment) keepWords(form.elements.comment, "comment");
  answerByKeys();
  for (const hint of document.querySelectorAll("[data-keys]")) hint.hidden = false;
}
