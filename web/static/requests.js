/** The requests of this tab, newest first: each a card with its pictures. They survive a reload. */

import { Card } from "./card.js";
import { tab } from "./store.js";

const KEPT = "horde.requests";
const MAX_KEPT = 30;

const place = document.getElementById("requests");
const welcome = document.getElementById("welcome");
const cards = new Map();

/** Show what this tab asked for before it was reloaded. handlers: see `add`. */
export function restore(handlers) {
  for (const asked of tab.read(KEPT, []).reverse()) show(asked, handlers, true);
}

/**
 * Show a request that the server took.
 * asked: {id, values (of the form), notice}. handlers: onReuse(values), onEnd().
 */
export function add(asked, handlers) {
  const card = show(asked, handlers, false);
  keep();
  return card;
}

function show(asked, handlers, restored) {
  const card = new Card(asked, {
    restored,
    onReuse: handlers.onReuse,
    onEnd() {
      countRunning();
      handlers.onEnd();
    },
    onRemove() {
      cards.delete(asked.id);
      keep();
    },
  });
  cards.set(asked.id, card);
  place.prepend(card.element);
  card.follow();
  countRunning();
  return card;
}

function keep() {
  tab.write(KEPT, [...cards.values()].reverse().slice(0, MAX_KEPT).map((card) => card.asked));
  countRunning();
}

function countRunning() {
  const running = [...cards.values()].filter((card) => card.running).length;
  document.title = running ? `(${running}) Stable Horde` : "Stable Horde";
  welcome.hidden = cards.size > 0;
}
