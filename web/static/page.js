/** The page: sends the form's request and shows the results. */

import * as api from "./api.js";
import * as cost from "./cost.js";
import * as form from "./form.js";
import * as horde from "./horde.js";
import * as requests from "./requests.js";

const element = document.getElementById("form");
const button = document.getElementById("submit");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const handlers = {
  onReuse(values) {
    form.fill(values);
    element.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth" });
    document.getElementById("prompt").focus({ preventScroll: true });
  },
  onEnd: () => cost.showAccount(),
};

async function submit(event) {
  event.preventDefault();
  if (button.disabled || !form.isComplete()) return;
  button.disabled = true;
  const values = form.values();
  try {
    const taken = await api.ask(form.apiKey(), form.request(values));
    const card = requests.add({ id: taken.id, values, notice: noticeOf(taken) }, handlers);
    bringIntoView(card.element);
  } catch (error) {
    form.showRefusal(error);
  } finally {
    button.disabled = false;
  }
}

function noticeOf({ message, warnings }) {
  return [message, ...(warnings ?? []).map((one) => one.message)].filter((one) => one).join(" ");
}

/** On a narrow window pictures come below the form, out of sight. */
function bringIntoView(card) {
  if (card.getBoundingClientRect().top < innerHeight * 0.8) return;
  card.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "start" });
}

element.addEventListener("submit", submit);
const tryOut = (prompt) => handlers.onReuse({ prompt });
for (const example of document.querySelectorAll("[data-example]")) {
  example.addEventListener("click", () => tryOut(example.dataset.example));
}
requests.restore(handlers);
horde.watch(tryOut);
button.disabled = false;
dispatchEvent(new Event("started"));
await api.useSession();
cost.watch();
