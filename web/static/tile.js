/** One picture of a request: waiting, being made, or here. */

import * as lightbox from "./lightbox.js";
import { address, fileName, forget } from "./picture.js";
import { kudos } from "./words.js";

const LABELS = {
  waiting: () => "waiting",
  processing: (worker) => (worker ? `${worker} is making it` : "being made"),
  done: () => "coming in",
  faulted: () => "could not be made",
  cancelled: () => "cancelled",
  expired: () => "nobody took it in time",
};

export class Tile {
  #request;
  #label;
  #url = "";
  #preview = null;
  #step = "";

  /** request: {prompt, width, height}. number: from 1. onSeed(seed): the visitor wants that seed. */
  constructor(request, number, onSeed) {
    this.#request = request;
    this.onSeed = onSeed;
    this.element = document.getElementById("tile-template").content.firstElementChild.cloneNode(true);
    this.element.querySelector(".pane").style.aspectRatio = `${request.width} / ${request.height}`;
    this.element.querySelector(".number").textContent = String(number).padStart(2, "0");
    this.#label = this.element.querySelector(".label");
    this.state = "waiting";
    this.show("waiting");
  }

  get picture() {
    return this.element.dataset.picture;
  }

  /** state: of the job, as in the API. */
  show(state, worker = "") {
    if (this.picture) return;
    this.state = state;
    this.element.dataset.state = state;
    if (state !== "processing") this.#forgetPreview();
    this.#label.textContent = this.#step || (LABELS[state]?.(worker) ?? state);
  }

  /** Show how far it is. preview: base64 of a small WebP, now and then. */
  develop({ step, steps, preview }) {
    if (this.picture || this.state !== "processing" || !step) return;
    this.#label.textContent = this.#step = `step ${step} of ${steps}`;
    if (!preview) return;
    if (!this.#preview) {
      this.#preview = document.createElement("img");
      this.#preview.className = "preview";
      this.#preview.alt = "";
      this.element.querySelector(".pane").prepend(this.#preview);
    }
    forget(this.#preview.src);
    this.#preview.src = address(preview);
  }

  #forgetPreview() {
    this.#step = "";
    if (!this.#preview) return;
    forget(this.#preview.src);
    this.#preview.remove();
    this.#preview = null;
  }

  /** Show a finished picture, as `GenerationStable` of the API. */
  finish(generation) {
    this.show("done");
    this.element.dataset.picture = generation.id;
    this.#url = address(generation.img);
    const image = new Image(this.#request.width, this.#request.height);
    image.alt = this.#request.prompt;
    image.decoding = "async";
    image.addEventListener("load", () => this.element.classList.add("loaded"));
    image.addEventListener("error", () => this.#fail());
    image.src = this.#url;
    const open = document.createElement("button");
    open.type = "button";
    open.className = "open";
    open.ariaLabel = `Show large: ${this.#request.prompt}`;
    open.append(image);
    open.addEventListener("click", () => lightbox.open(open));
    this.element.querySelector(".pane").append(open);
    this.#describe(generation);
  }

  remove() {
    this.#forgetPreview();
    forget(this.#url);
  }

  #describe({ worker_name: worker, model, seed, kudos: cost, censored }) {
    const part = (name) => this.element.querySelector(name);
    part("figcaption").hidden = false;
    part(".maker").textContent = censored ? `Censored by ${worker}` : `Made by ${worker}`;
    part(".details").textContent = [model, cost === undefined ? "" : kudos(cost)].filter(Boolean).join(" · ");
    part(".download").href = this.#url;
    part(".download").download = fileName(this.#request.prompt, seed);
    part(".download").target = "_blank"; // a link to another host opens instead of being saved
    part(".download").rel = "noopener";
    const again = part(".seed");
    again.textContent = `Seed ${seed}`;
    again.title = "Use this seed for the next picture";
    again.ariaLabel = `Use seed ${seed} for the next picture`;
    again.addEventListener("click", () => this.onSeed(seed));
  }

  #fail() {
    this.element.querySelector(".open").remove();
    this.#label.textContent = "could not be loaded";
    this.element.dataset.state = "faulted";
  }
}
