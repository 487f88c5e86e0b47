// @ts-self-types="./stable-horde.d.ts"
/**
 * A client of Stable Horde, and of any horde with the same API, for browsers, Node 20+ and Deno.
 *
 *     const horde = new Horde("https://horde.example", { apiKey });
 *     const { id } = await horde.generate({ prompt: "a red fox" });
 *     const { generations } = await horde.waitFor(id, { timeoutSeconds: 300 });
 *     const picture = await horde.download(generations[0].img);
 *
 * operations.js has all operations, stable-horde.d.ts their types. An operation takes what is in
 * braces in its path, then one object (the query of a GET, else the body), then options.
 */

import {
  HordeError, Invalid, NotFound, TimedOut, TooLarge, UnexpectedAnswer, Unreachable, fromAnswer, mayPass,
} from "./errors.js";
import { look, statusOf } from "./looking.js";
import { OPERATIONS } from "./operations.js";
import { fromBase64, read, readEvents } from "./reading.js";
import { backOff, limited, pause } from "./waiting.js";

export * from "./errors.js";

export const ANONYMOUS_KEY = "0000000000";

const AGENT = "stable-horde-js:1:https://github.com/stable-horde/stable-horde";
const MAX_ANSWER_BYTES = 16 * 2 ** 20; // ten thousand workers fit
const MAX_PICTURES_BYTES = 64 * 2 ** 20; // twenty large pictures in base64 fit
const MAX_PICTURE_BYTES = 20 * 2 ** 20;
const MAX_ERROR_BYTES = 2 ** 16;
const TRANSFER_SECONDS = 120;
const SILENCE_SECONDS = 45; // an event stream that says nothing for longer is broken
const STATUS_SECONDS = 10; // a status may be asked for ten times a minute
const PATIENCE_SECONDS = 60; // if the server asks for a longer pause, the call fails instead
const EVENTS = new Set(["status", "generation", "progress", "end"]);
export class Horde {
  #url;
  #options;

  /**
   * url: where the horde is, with or without /api; empty: where this page comes from.
   * apiKey: empty: none is sent. clientAgent: `name:version:contact` of the program that uses this.
   * timeoutSeconds: for each attempt, to the last byte. attempts: of what may be repeated.
   * pollSeconds: how often a request is looked at where there is no event stream.
   * headers(): more headers for each call to the horde. fetch: another one than the usual.
   */
  constructor(url = "", options = {}) {
    this.#url = url.replace(/\/+$/, "").replace(/\/v2$/, "").replace(/\/api$/, "");
    this.#options = {
      apiKey: ANONYMOUS_KEY,
      clientAgent: AGENT,
      timeoutSeconds: 30,
      attempts: 4,
      pollSeconds: 2,
      headers: () => ({}),
      fetch: (...call) => fetch(...call),
      ...options,
    };
    Object.assign(this, bound(OPERATIONS, this));
  }

  /** The same horde for somebody else. */
  withKey(apiKey) {
    return new Horde(this.#url, { ...this.#options, apiKey });
  }

  /** The cost of a request, in kudos, without queueing it. */
  async price(request, options) {
    const { kudos, kudos_exact: exact } = await this.generate({ ...request, dry_run: true }, options);
    return exact ?? kudos;
  }

  /**
   * Call an endpoint, also one that this file does not know; its answer. path: below /api.
   * input: the query of a GET, else the body. is: as in operations.js.
   */
  async call(method, path, { input, is = "", signal, timeoutSeconds = this.#options.timeoutSeconds, key } = {}) {
    const headers = this.#headers();
    let url = `${this.#url}/api${path}`;
    if (method === "GET") url += query(input);
    else if (input !== undefined) headers["Content-Type"] = "application/json";
    if (is === "keyless") delete headers.apikey;
    if (is === "keyed" || key) headers["Idempotency-Key"] = key ?? unique();
    const body = headers["Content-Type"] && JSON.stringify(input);
    const longest = is === "pictures" ? MAX_PICTURES_BYTES : MAX_ANSWER_BYTES;
    const once = () => this.#fetch(url, { method, headers, body, redirect: "manual" }, { longest, signal, timeoutSeconds });
    const adds = is === "adds" || (method === "POST" && is !== "keyed");
    if (is === "once") return json(await once(), url);
    let lost = false;
    const content = await this.#repeated(once, signal, (error) => {
      if (method === "DELETE" && lost && error instanceof NotFound) return true; // a lost attempt has deleted it
      lost ||= error.status !== 429;
      return mayPass(error, adds);
    });
    return content === undefined ? undefined : json(content, url);
  }

  /**
   * Yield what happens to a request, `{type: "end", …}` last and each picture once.
   * A broken stream is connected again; if the server has none, the request is polled.
   */
  async *events(id, { kind = "image", signal } = {}) {
    const seen = new Set();
    const isNew = ({ type, id: picture }) => type !== "generation" || (!seen.has(picture) && seen.add(picture));
    for (let failures = 0; failures < 2 * this.#options.attempts; failures += 1) {
      try {
        for await (const event of this.listen(id, { signal })) {
          failures = 0;
          if (isNew(event)) yield event;
          if (event.type === "end") return;
        }
      } catch (error) {
        if (!(error instanceof HordeError) || error.rc === "RequestNotFound") throw error;
        if (!mayPass(error, false)) break;
      }
      await pause(backOff(failures), signal);
    }
    yield* this.#poll(id, kind, isNew, seen, signal);
  }

  /** Yield what one connection to a request's event stream says. */
  async *listen(id, { signal } = {}) {
    const url = `${this.#url}/api/v2/generate/events/${segment(id)}`;
    const limit = limited(SILENCE_SECONDS, signal, new Unreachable("The event stream broke off."));
    try {
      const headers = { ...this.#headers(), Accept: "text/event-stream" };
      const response = await this.#open(url, { headers, redirect: "manual", cache: "no-store" }, limit);
      if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
        throw new UnexpectedAnswer("There is no event stream.");
      }
      for await (const { name, data } of readEvents(response.body, limit.renew)) {
        if (EVENTS.has(name)) yield { type: name, ...json(data, url) };
      }
    } catch (error) {
      throw limit.signal.aborted ? limit.signal.reason : broken(error, url);
    } finally {
      limit.end();
    }
  }

  /**
   * Wait until a request ends; its status, with its results.
   * kind: image, text or alchemy. onEvent: called with each event.
   * Throws TimedOut after `timeoutSeconds`; the request goes on unless it is cancelled.
   */
  async waitFor(id, { timeoutSeconds, kind = "image", onEvent = () => {}, signal } = {}) {
    const late = new TimedOut(`Not done after ${timeoutSeconds} s.`);
    const limit = limited(timeoutSeconds, signal, late);
    try {
      for await (const event of this.events(id, { kind, signal: limit.signal })) onEvent(event);
      return await statusOf(this, kind, id, { signal: limit.signal });
    } finally {
      limit.end();
    }
  }

  /** The bytes of a generation's `img`, which is a URL or base64. */
  async download(image, { signal, maxBytes = MAX_PICTURE_BYTES } = {}) {
    if (!/^https?:/.test(image)) return fromBase64(image, maxBytes);
    const limits = { longest: maxBytes, signal, timeoutSeconds: TRANSFER_SECONDS };
    return this.#repeated(() => this.#fetch(image, {}, limits), signal, (error) => mayPass(error, false));
  }

  /** PUT a picture (WebP) to a URL from a pop's `r2_uploads`. */
  async upload(url, content, { signal } = {}) {
    const limits = { longest: MAX_ANSWER_BYTES, signal, timeoutSeconds: TRANSFER_SECONDS };
    const put = () => this.#fetch(url, { method: "PUT", body: content }, limits);
    await this.#repeated(put, signal, (error) => mayPass(error, false));
  }

  async *#poll(id, kind, isNew, seen, signal) {
    let last = "";
    for (let looked = -Infinity; ; await pause(this.#options.pollSeconds, signal)) {
      const check = await look(this, kind, id, { signal });
      if (JSON.stringify(check) !== last) yield { type: "status", ...check };
      last = JSON.stringify(check);
      const due = check.done || Date.now() - looked >= STATUS_SECONDS * 1000;
      if (kind === "image" && check.finished > seen.size && due) {
        looked = Date.now();
        const { generations } = await this.status(id, undefined, { signal });
        for (const one of generations) {
          const event = { type: "generation", ...one, index: seen.size };
          if (isNew(event)) yield event;
        }
      }
      if (check.done) return void (yield { type: "end", ...check });
    }
  }

  #headers() {
    const { apiKey, clientAgent, headers } = this.#options;
    const key = apiKey ? { apikey: apiKey } : {};
    return { Accept: "application/json", "Client-Agent": clientAgent, ...key, ...headers(apiKey) };
  }

  /** Make a call until it succeeds, fails for good or has failed too often. */
  async #repeated(call, signal, again) {
    for (let failures = 0; ; failures += 1) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof HordeError) || !again(error)) throw error;
        if (error instanceof NotFound) return undefined;
        const asked = error.retryAfterSeconds ?? 0;
        if (failures + 1 >= this.#options.attempts || asked > PATIENCE_SECONDS) throw error;
        await pause(Math.max(asked, backOff(failures)), signal);
      }
    }
  }

  /** Make a call once; the bytes of its answer. */
  async #fetch(url, call, { longest, signal, timeoutSeconds }) {
    const late = new Unreachable(`${hostOf(url)} did not answer in ${timeoutSeconds} seconds.`);
    const limit = limited(timeoutSeconds, signal, late);
    try {
      const response = await this.#open(url, { cache: "no-store", ...call }, limit);
      const content = await read(response.body, longest);
      if (content === undefined) throw new TooLarge(`${hostOf(url)} sent more than ${longest} bytes; the rest was not read.`);
      return content;
    } catch (error) {
      throw limit.signal.aborted ? limit.signal.reason : broken(error, url);
    } finally {
      limit.end();
    }
  }

  async #open(url, call, limit) {
    let response;
    try {
      response = await this.#options.fetch(url, { ...call, signal: limit.signal });
    } catch {
      throw new Unreachable(`${hostOf(url)} does not answer. Is the server running?`);
    }
    if (response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400)) {
      // The key must not go where a redirect leads.
      throw new UnexpectedAnswer(`${hostOf(url)} answered a redirect. Use the address that it leads to.`);
    }
    if (response.ok) return response;
    const text = new TextDecoder().decode(await read(response.body, MAX_ERROR_BYTES, { cut: true }));
    throw fromAnswer(response, text);
  }
}

function bound(operations, horde) {
  const entries = Object.entries(operations);
  return Object.fromEntries(entries.map(([name, one]) => [name, Array.isArray(one) ? callOf(one, horde) : bound(one, horde)]));
}

function callOf([method, path, is], horde) {
  const names = path.match(/{\w+}/g) ?? [];
  return async (...given) => {
    const [input, options] = given.slice(names.length);
    const where = names.reduce((sofar, name, at) => sofar.replace(name, () => segment(given[at])), path);
    return horde.call(method, where, { ...options, input, is });
  };
}

/** A text as one segment of a path, whatever is in it. */
function segment(text) {
  if (text === undefined || text === null || ["", ".", ".."].includes(String(text))) {
    throw new Invalid(`"${text}" is neither an id nor a name.`);
  }
  return encodeURIComponent(text);
}

function query(input = {}) {
  const given = Object.entries(input).filter(([, value]) => value !== undefined && value !== null);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

function json(content, url) {
  const text = typeof content === "string" ? content : new TextDecoder().decode(content);
  try {
    return JSON.parse(text);
  } catch {
    const got = text.trimStart().startsWith("<") ? "a page for people" : "something else";
    throw new UnexpectedAnswer(`${hostOf(url)} answered ${got} instead of JSON. Is it the address of a horde?`);
  }
}

function broken(error, url) {
  return error instanceof HordeError ? error : new Unreachable(`${hostOf(url)} broke the connection off.`);
}

/** The host of a URL; of one without, it is the horde that this page comes from. */
const hostOf = (url) => /^https?:\/\/([^/?#]+)/.exec(url)?.[1] ?? "The horde";

const unique = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");
