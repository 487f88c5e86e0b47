/** What the horde knows of the model that would make the picture: its defaults, its samples, its words. */

import * as api from "./api.js";
import * as form from "./form.js";

const MOST_EXAMPLES = 3;
const PAUSE = 400; // ms without typing before words are looked up
const LONGEST = 4; // words of one name
const ENDINGS = [["ies", "y"], ["ves", "f"], ["es", ""], ["s", ""]];
const VERBS = ["ing", "ed", "es", "s", "er"];

const hint = document.getElementById("prompt-hint");
const known = new Map();
let online = [];
let current;
let timer = 0;

/** Keep defaults, examples and the line below the prompt those of the model. */
export function watch(onExample) {
  form.onChange(() => {
    clearTimeout(timer);
    timer = setTimeout(() => choose(onExample), PAUSE);
  });
}

/** These models are online now. */
export function offered(names, onExample) {
  online = names;
  return choose(onExample);
}

async function choose(onExample) {
  const name = form.values().model || (online.length === 1 ? online[0] : undefined);
  const model = name && (await detailsOf(name));
  if (name !== current?.name) {
    current = model ? { name, ...model } : undefined;
    if (current) {
      form.useDefaults(current.defaults);
      showExamples(current.samples, onExample);
    }
  }
  hint.textContent = current?.vocabulary ? told(current.name, read(current.vocabulary, form.values().prompt)) : "";
  hint.hidden = !hint.textContent;
}

function detailsOf(name) {
  if (!known.has(name)) known.set(name, api.model(name).then(ready).catch(() => undefined));
  return known.get(name);
}

function ready(model) {
  const { vocabulary } = model;
  if (!vocabulary) return model;
  const named = new Set([...vocabulary.things, ...vocabulary.places, ...Object.keys(vocabulary.words)]);
  const silent = new Set([...vocabulary.helping, ...vocabulary.idle]);
  return { ...model, vocabulary: { named, silent, nearest: new Map(Object.entries(vocabulary.nearest)) } };
}

function showExamples(samples, onExample) {
  const place = document.querySelector(".examples");
  if (!samples.length) return;
  place.replaceChildren(
    ...samples.slice(0, MOST_EXAMPLES).map((sample) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: sample });
      button.dataset.example = sample;
      button.addEventListener("click", () => onExample(sample));
      return button;
    }),
  );
}

/** The words of a prompt that the model does not know, and what it draws for others; as `core/vocabulary.py` reads it. */
function read({ named, silent, nearest }, prompt) {
  const instead = new Map();
  const unknown = new Set();
  const words = prompt.toLowerCase().match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*|[^\p{L}\p{N}\s]+/gu) ?? [];
  for (let place = 0; place < words.length; ) {
    let many = LONGEST;
    while (many > 1 && !isName(words.slice(place, place + many).join(" "), named, silent)) many -= 1;
    if (many === 1) judge(words[place], { named, silent, nearest }, instead, unknown);
    place += many;
  }
  return { instead, unknown: [...unknown] };
}

const isName = (phrase, named, silent) => named.has(phrase) || silent.has(phrase);

function judge(word, { named, silent, nearest }, instead, unknown) {
  if (!/\p{L}/u.test(word) || word.length < 3 || isName(word, named, silent)) return;
  const singular = ENDINGS.filter(([end]) => word.endsWith(end)).map(([end, by]) => word.slice(0, -end.length) + by);
  for (const form of [word, ...singular]) {
    if (named.has(form)) return;
    if (nearest.has(form)) return void instead.set(word, nearest.get(form));
  }
  const stems = VERBS.filter((end) => word.endsWith(end)).map((end) => word.slice(0, -end.length));
  if (stems.some((stem) => [stem, `${stem}e`, stem.slice(0, -1)].some((one) => silent.has(one)))) return;
  unknown.add(word);
}

function told(name, { instead, unknown }) {
  const parts = [...instead].map(([word, thing]) => `draws ${thing} for ${word}`);
  if (unknown.length) parts.push(`does not know ${unknown.join(", ")}`);
  return parts.length ? `${name} ${parts.join("; ")}.` : "";
}
