/**
 * Follows a request until nothing more will happen to it.
 *
 * The event stream is used where it can be; where it fails, where the tab is hidden, or where too
 * many are open (a browser allows six connections to a host, for all tabs together), the request is
 * polled. Both may tell of the same picture again: the listener knows it by its id.
 */

import * as api from "./api.js";

const MAX_STREAMS = 2;
const STREAM_AGAIN_AFTER = { first: 3_000, growth: 2, last: 60_000 }; // ms
const POLL = { first: 1_000, growth: 1.25, last: 10_000 }; // ms
const STATUS_APART = 7_000; // ms; the contract allows ten full answers a minute

const streaming = new Set();
const followers = new Set();

/**
 * Follow a request. The listener's methods:
 * status(check, jobs): jobs is undefined where the server did not say;
 * picture(generation): index is undefined where the server did not say;
 * progress({index, step, steps, preview}): how far a picture is, where the server says it;
 * end(check); gone(): the server no longer knows the request; trouble(on): it does not answer.
 * Returns a function that stops following.
 */
export function follow(id, listener) {
  const follower = new Follower(id, listener);
  followers.add(follower);
  follower.begin();
  return () => follower.stop();
}

document.addEventListener("visibilitychange", () => followers.forEach((one) => one.begin()));

class Follower {
  #id;
  #listener;
  #connection = null;
  #timer = 0;
  #delay = POLL.first;
  #failures = 0;
  #streamFrom = 0;
  #seen = 0;
  #statusAt = -Infinity;
  #turn = 0; // grows when another one begins, so that earlier ones stop waiting

  constructor(id, listener) {
    this.#id = id;
    this.#listener = listener;
  }

  begin() {
    this.#hangUp();
    this.#delay = POLL.first;
    if (this.#mayStream()) this.#stream();
    else this.#pollAfter(document.hidden ? POLL.first : 0);
  }

  stop() {
    this.#hangUp();
    followers.delete(this);
  }

  #mayStream() {
    return !document.hidden && streaming.size < MAX_STREAMS && Date.now() >= this.#streamFrom;
  }

  #hangUp() {
    this.#turn += 1;
    clearTimeout(this.#timer);
    this.#connection?.abort();
    this.#connection = null;
    streaming.delete(this);
  }

  async #stream() {
    const turn = this.#turn;
    const connection = (this.#connection = new AbortController());
    streaming.add(this);
    try {
      for await (const event of api.stream(this.#id, { signal: connection.signal })) {
        if (turn !== this.#turn) return;
        this.#hear(event);
      }
    } catch {
      // It is connected again, or the request is polled.
    }
    if (turn !== this.#turn) return;
    const { first, growth, last } = STREAM_AGAIN_AFTER;
    this.#streamFrom = Date.now() + Math.min(first * growth ** this.#failures, last);
    this.#failures += 1;
    this.#hangUp();
    this.#pollAfter(0);
  }

  #hear({ type, ...told }) {
    if (type === "status") {
      this.#failures = 0;
      this.#listener.trouble(false);
      this.#listener.status(told, told.jobs);
    }
    if (type === "generation") this.#listener.picture(told);
    if (type === "progress") this.#listener.progress(told);
    if (type === "end") this.#finish(() => this.#listener.end(told));
  }

  #pollAfter(delay) {
    this.#timer = setTimeout(() => this.#poll(), delay);
  }

  async #poll() {
    const turn = this.#turn;
    try {
      const check = await api.check(this.#id);
      if (turn !== this.#turn) return;
      this.#listener.trouble(false);
      this.#listener.status(check, undefined);
      const news = check.finished > this.#seen && Date.now() - this.#statusAt > STATUS_APART;
      if (check.done || news) await this.#fetchPictures(turn);
      if (turn !== this.#turn) return;
      if (check.done) return void this.#finish(() => this.#listener.end(check));
    } catch (error) {
      if (turn !== this.#turn) return;
      if (error.status === 404) return void this.#finish(() => this.#listener.gone());
      this.#listener.trouble(true);
    }
    if (turn !== this.#turn) return;
    if (this.#mayStream()) return void this.#stream();
    this.#pollAfter(this.#delay);
    this.#delay = Math.min(this.#delay * POLL.growth, POLL.last);
  }

  async #fetchPictures(turn) {
    const { generations } = await api.status(this.#id);
    this.#statusAt = Date.now();
    this.#seen = generations.length;
    if (turn === this.#turn) generations.forEach((one) => this.#listener.picture(one));
  }

  #finish(tell) {
    this.stop();
    tell();
  }
}
