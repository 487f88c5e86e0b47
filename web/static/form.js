/** The form: reads and writes the request's values, and shows errors beside their fields. */

import { ANONYMOUS } from "./api.js";
import { fit, shapeOf, snap } from "./size.js";
import { device, tab } from "./store.js";

const NAMES = ["prompt", "negative", "width", "height", "n", "steps", "cfg_scale", "seed", "sampler_name", "model"];
const FIELD_OF_CODE = { InvalidAPIKey: "apikey", SharedKeyInvalid: "apikey" };
const DRAFT = "horde.form";
const KEY = "horde.key";
const MAX_PICTURES = 20;

const form = document.getElementById("form");
const field = (name) => form.elements[name];
const listeners = [];
let defaults = { width: 512, height: 512, steps: 30, cfg_scale: 5 };
let area = field("width").value * field("height").value;

/** Call back whenever something that may change the price has changed. */
export const onChange = (listener) => listeners.push(listener);
const changed = () => listeners.forEach((listener) => listener());

export const apiKey = () => field("apikey").value.trim() || ANONYMOUS;

/** The form's values, by name of field. */
export const values = () => Object.fromEntries(NAMES.map((name) => [name, field(name).value.trim()]));

/** The body of a request for these values. */
export function request({ prompt, negative, model, ...rest }) {
  const params = {
    width: Number(rest.width),
    height: Number(rest.height),
    steps: Number(rest.steps),
    n: Number(rest.n),
    cfg_scale: Number(rest.cfg_scale),
    sampler_name: rest.sampler_name,
  };
  if (rest.seed) params.seed = rest.seed;
  return { prompt: negative ? `${prompt} ### ${negative}` : prompt, params, models: model ? [model] : [], nsfw: false };
}

/** Put values of an earlier request, or some of them, into the form. */
export function fill(some) {
  for (const [name, value] of Object.entries(some)) {
    if (name === "model" && value && ![...field("model").options].some((one) => one.value === value)) continue;
    if (NAMES.includes(name)) field(name).value = value;
  }
  if (some.seed) document.getElementById("more").open = true;
  settle();
}

/** Take what the model wants for what nobody has changed. */
export function useDefaults(some) {
  const unchanged = Object.keys(some).filter((name) => Number(field(name).value) === defaults[name]);
  defaults = { ...defaults, ...some };
  if (unchanged.length) fill(Object.fromEntries(unchanged.map((name) => [name, some[name]])));
}

/** Offer these models: [{name, label}]. */
export function offerModels(models) {
  const select = field("model");
  const chosen = select.value;
  select.replaceChildren(select.options[0], ...models.map(({ name, label }) => new Option(label, name)));
  if (models.some(({ name }) => name === chosen)) select.value = chosen;
}

/** Show why the request was refused: beside the fields if the server named them, else above the button. */
export function showRefusal(error) {
  const elsewhere = [];
  const named = Object.entries(error.errors);
  for (const [path, text] of named) {
    const name = fieldOf(path);
    if (name) showError(name, text);
    else elsewhere.push(`${path}: ${text}`);
  }
  if (FIELD_OF_CODE[error.rc]) showError(FIELD_OF_CODE[error.rc], error.message);
  else if (!named.length) elsewhere.push(error.message);
  if (elsewhere.length) showText(document.getElementById("form-error"), elsewhere.join(" "));
  form.querySelector("[aria-invalid]")?.focus();
}

/** Whether there is a prompt; shows an error if not. */
export function isComplete() {
  clearErrors();
  settle();
  if (field("prompt").value.trim()) return true;
  showError("prompt", "Say what the picture should show.");
  field("prompt").focus();
  return false;
}

export function clearErrors() {
  showText(document.getElementById("form-error"), "");
  form.querySelectorAll("[data-field]").forEach((box) => showError(box.dataset.field, ""));
}

function fieldOf(path) {
  const name = path.startsWith("models") ? "model" : path.split(".").at(-1);
  return NAMES.includes(name) ? name : undefined;
}

function showError(name, text) {
  showText(document.getElementById(`${name}-error`), text);
  if (!text) return field(name).removeAttribute("aria-invalid");
  field(name).setAttribute("aria-invalid", "true");
  const fold = field(name).closest("details");
  if (fold) fold.open = true;
}

function showText(place, text) {
  place.textContent = text;
  place.hidden = !text;
}

/** Make the form's values consistent: sizes snapped, counts in range, numbers beside sliders. */
function settle() {
  for (const side of ["width", "height"]) field(side).value = snap(field(side).value, 512);
  field("n").value = Math.min(MAX_PICTURES, Math.max(1, Math.round(Number(field("n").value)) || 1));
  const { width, height, n } = values();
  const shapes = [...field("shape")];
  const shape = shapeOf(width, height, shapes.map((one) => one.value));
  shapes.forEach((one) => (one.checked = one.value === shape));
  document.getElementById("submit-text").textContent = n === "1" ? "Make picture" : `Make ${n} pictures`;
  showNumbers();
  grow(field("prompt"));
  grow(field("negative"));
  keep();
  changed();
}

function showNumbers() {
  for (const name of ["steps", "cfg_scale"]) {
    const slider = field(name);
    document.getElementById(`${name}-value`).textContent = slider.value;
    slider.style.setProperty("--at", `${((slider.value - slider.min) / (slider.max - slider.min)) * 100}%`);
  }
}

function grow(textarea) {
  textarea.style.height = "auto";
  textarea.style.height = `${textarea.scrollHeight + 2}px`;
}

function keep() {
  tab.write(DRAFT, values());
  device.write(KEY, document.getElementById("remember").checked ? field("apikey").value.trim() : undefined);
}

function listen() {
  form.addEventListener("input", ({ target }) => {
    if (target.closest("[data-field]")) showError(target.closest("[data-field]").dataset.field, "");
    if (target.matches("textarea")) grow(target);
    showNumbers();
    keep();
    changed();
  });
  form.addEventListener("change", ({ target }) => {
    if (target.name === "shape") Object.entries(fit(target.value, area)).forEach(([side, to]) => (field(side).value = to));
    settle();
    if (target.name === "width" || target.name === "height") area = field("width").value * field("height").value;
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  document.getElementById("swap").addEventListener("click", () => fill({ width: field("height").value, height: field("width").value }));
  document.getElementById("seed-clear").addEventListener("click", () => fill({ seed: "" }));
  for (const button of form.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => fill({ n: Number(field("n").value) + Number(button.dataset.step) }));
  }
}

const remembered = device.read(KEY, "");
field("apikey").value = remembered;
document.getElementById("remember").checked = Boolean(remembered);
listen();
fill({ ...tab.read(DRAFT, {}) });
