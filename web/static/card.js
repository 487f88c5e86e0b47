/** One request on the page: its place in the queue, its pictures, and its actions. */

import * as api from "./api.js";
import { announce } from "./announce.js";
import { follow } from "./stream.js";
import { Tile } from "./tile.js";
import { count, duration, kudos, ordinal } from "./words.js";

const OVER = new Set(["done", "faulted", "cancelled", "expired"]);

export class Card {
  #handlers;
  #tiles;
  #stop = () => {};
  #cancelled = false;
  #quiet;
  #position = 0;
  #told = 0;

  /** asked: {id, values, notice}. handlers: {restored, onReuse(values), onEnd(), onRemove()}. */
  constructor(asked, handlers) {
    this.asked = asked;
    this.running = true;
    this.#handlers = handlers;
    this.#quiet = handlers.restored; // restored requests are not announced again
    this.element = document.getElementById("request-template").content.firstElementChild.cloneNode(true);
    this.#tiles = this.#layOut();
    this.#describe();
    this.#listen();
  }

  follow() {
    this.#stop = follow(this.asked.id, {
      status: (check, jobs) => this.#status(check, jobs),
      picture: (generation) => this.#picture(generation),
      progress: (progress) => this.#tiles[progress.index]?.develop(progress),
      end: (check) => this.#end(check),
      gone: () => this.#gone(),
      trouble: (on) => this.element.classList.toggle("trouble", on),
    });
  }

  #part(name) {
    return this.element.querySelector(name);
  }

  #layOut() {
    const { prompt, width, height, n } = this.asked.values;
    const onSeed = (seed) => this.#handlers.onReuse({ seed });
    const tiles = Array.from({ length: n }, (_, k) => new Tile({ prompt, width, height }, k + 1, onSeed));
    this.#part(".tiles").append(...tiles.map((tile) => tile.element));
    this.#part(".tiles").dataset.count = Math.min(n, 4);
    return tiles;
  }

  #describe() {
    const { prompt, negative, width, height, steps, cfg_scale: guidance, sampler_name: sampler } = this.asked.values;
    this.#part(".asked").textContent = prompt;
    const facts = [`${width} × ${height}`, count(Number(steps), "step"), `guidance ${guidance}`, sampler];
    if (negative) facts.push(`without ${negative}`);
    this.#part(".facts").textContent = facts.join(" · ");
    this.#part(".state").textContent = "On its way…";
    this.#part(".notice").textContent = this.asked.notice ?? "";
    this.#part(".notice").hidden = !this.asked.notice;
  }

  #listen() {
    this.#part(".reuse").addEventListener("click", () => this.#handlers.onReuse(this.asked.values));
    this.#part(".cancel").addEventListener("click", () => this.#cancel());
    this.#part(".remove").addEventListener("click", () => this.#remove());
    this.#part(".remove").hidden = true;
  }

  #status(check, jobs) {
    if (jobs) {
      for (const job of jobs) this.#tiles[job.index]?.show(job.state, job.worker_name);
      this.#cancelled ||= jobs.some((job) => job.state === "cancelled");
    } else {
      const open = this.#tiles.filter((tile) => !tile.picture);
      open.forEach((tile, k) => tile.show(k < check.processing ? "processing" : "waiting"));
    }
    this.#part(".state").textContent = progress(check, this.#tiles.length);
    this.#explain(check);
    if (check.queue_position > 0 && check.queue_position !== this.#position && !check.processing) {
      this.#announce(place(check.queue_position));
    }
    this.#position = check.queue_position;
    this.#told += 1;
    if (this.#told > 1) this.#quiet = false;
  }

  #picture(generation) {
    if (this.#tiles.some((tile) => tile.picture === generation.id)) return;
    const tile = this.#tiles[generation.index] ?? this.#tiles.find((one) => !one.picture);
    tile.finish(generation);
    const finished = this.#tiles.filter((one) => one.picture).length;
    this.#announce(`Picture ${finished} of ${this.#tiles.length} is here, made by ${generation.worker_name}.`);
  }

  #end(check) {
    const rest = this.#cancelled ? "cancelled" : "faulted";
    for (const tile of this.#tiles) if (!tile.picture && !OVER.has(tile.state)) tile.show(rest);
    const words = outcome(check, this.#tiles.length, this.#cancelled);
    this.#part(".state").textContent = words;
    this.#explain(check);
    this.#announce(words);
    this.#close();
  }

  /** Show why workers failed at the missing pictures. */
  #explain({ faults = [] }) {
    const missing = faults.filter(({ index }) => !this.#tiles[index]?.picture);
    this.#part(".why").textContent = missing.map((fault) => why(fault, this.#tiles.length)).join("\n");
    this.#part(".why").hidden = !missing.length;
  }

  #gone() {
    if (this.#handlers.restored && !this.#tiles.some((tile) => tile.picture)) return void this.#remove();
    for (const tile of this.#tiles) tile.show("expired");
    this.#part(".state").textContent = "The horde no longer knows this request.";
    this.#close();
  }

  #close() {
    this.running = false;
    this.element.classList.add("over");
    this.element.classList.remove("trouble");
    this.#part(".cancel").hidden = true;
    this.#part(".remove").hidden = false;
    this.#handlers.onEnd();
  }

  async #cancel() {
    const button = this.#part(".cancel");
    button.disabled = true;
    this.#cancelled = true;
    try {
      await api.cancel(this.asked.id);
    } catch (error) {
      if (error.status === 404) return void this.#gone();
      this.#part(".notice").textContent = error.message;
      this.#part(".notice").hidden = false;
      this.#cancelled = false;
      button.disabled = false;
    }
  }

  #remove() {
    this.#stop();
    this.running = false;
    this.#tiles.forEach((tile) => tile.remove());
    this.element.remove();
    this.#handlers.onRemove();
  }

  #announce(words) {
    if (!this.#quiet) announce(words);
  }
}

const place = (position) => (position === 1 ? "Next in line" : `${ordinal(position)} in line`);

function progress(check, all) {
  if (!check.is_possible && !check.processing && check.waiting) {
    return "No worker that is online can make this. It waits for one.";
  }
  const wait = check.wait_time > 0 ? ` · about ${duration(check.wait_time)}` : "";
  if (!check.processing && !check.finished && check.queue_position) return place(check.queue_position) + wait;
  if (!check.processing && !check.finished) return `Waiting for a worker${wait}`;
  if (all === 1) return `Being made${wait}`;
  return `${check.finished} of ${all} finished${wait}`;
}

function why({ index, tries, reason }, all) {
  const what = all === 1 ? "It" : `Picture ${index + 1}`;
  const times = tries === 1 ? "once" : `${tries} times`;
  return `${what} failed ${times}${reason ? `: ${reason}` : ""}`.replace(/[.\s]*$/, ".");
}

function outcome(check, all, cancelled) {
  const cost = kudos(check.kudos_exact ?? check.kudos);
  if (check.faulted) return `Workers failed at this. ${check.finished} of ${all} finished · ${cost}`;
  if (cancelled) return `Cancelled. ${check.finished} of ${all} finished · ${cost}`;
  if (check.finished < all) return `${check.finished} of ${all} finished · ${cost}`;
  return `${count(all, "picture")} · ${cost}`;
}
