/** The state of the horde: who is online and what waits, in the page's head and in the list of models. */

import * as api from "./api.js";
import { offerModels } from "./form.js";
import * as known from "./models.js";
import { count, duration } from "./words.js";

const EVERY = 10_000; // ms
const UNSERVED = 10_000; // s; the API's value if nobody offers a model

const pulse = document.getElementById("pulse");
const text = document.getElementById("pulse-text");

/** Keep it up to date while somebody looks. */
export function watch(onExample) {
  const look = () => show(onExample);
  look();
  known.watch(onExample);
  setInterval(() => document.hidden || look(), EVERY);
  document.addEventListener("visibilitychange", () => document.hidden || look());
}

async function show(onExample) {
  try {
    const [performance, models] = await Promise.all([api.performance(), api.models()]);
    say(performance.worker_count ? "alive" : "idle", summary(performance));
    const served = models.filter((model) => model.count > 0);
    offerModels(served.map((model) => ({ name: model.name, label: label(model) })));
    await known.offered(served.map((model) => model.name), onExample);
  } catch (error) {
    say("down", error.offline ? "The horde does not answer" : error.message);
  }
}

function summary({ worker_count: workers, queued_requests: queued }) {
  const waiting = queued ? `${count(queued, "picture")} in the queue` : "queue empty";
  return `${workers ? count(workers, "worker") : "No worker online"} · ${waiting}`;
}

function label({ name, count: threads, eta }) {
  const wait = eta > 0 && eta < UNSERVED ? `, about ${duration(eta)}` : "";
  return `${name} (${count(threads, "worker")}${wait})`;
}

function say(state, words) {
  pulse.dataset.state = state;
  if (text.textContent !== words) text.textContent = words;
}
