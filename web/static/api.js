/** The horde's API at this origin: the calls that this page makes, and its refusals. */

export const ANONYMOUS = "0000000000";

const BASE = "/api/v2";
const AGENT = "Stable Horde Page:1:https://github.com/stable-horde/stable-horde";
const PATIENCE = 3; // how often a call that came too soon is repeated

export class ApiError extends Error {
  /** status: 0 if nothing answered. rc: the contract's return code. errors: text by dotted path. */
  constructor(status, { message, rc = "", errors = {} }) {
    super(message);
    Object.assign(this, { status, rc, errors });
  }

  get offline() {
    return this.status === 0 || this.status >= 500;
  }
}

export const eventsUrl = (id) => `${BASE}/generate/events/${encodeURIComponent(id)}`;
export const ask = (key, request) => call("POST", "/generate/async", { key, body: request });
export const price = (key, request) => ask(key, { ...request, dry_run: true });
export const check = (id) => call("GET", `/generate/check/${encodeURIComponent(id)}`);
export const status = (id) => call("GET", `/generate/status/${encodeURIComponent(id)}`);
export const cancel = (id) => call("DELETE", `/generate/status/${encodeURIComponent(id)}`);
export const performance = () => call("GET", "/status/performance");
export const models = () => call("GET", "/status/models?type=image");
export const model = (name) => call("GET", `/catalog/models/${encodeURIComponent(name)}`);
export const user = (key) => call("GET", "/find_user", { key });

let session = { csrf_token: "" };

/** Find out whether somebody is logged in in this browser; without a key, calls are then theirs. */
export async function useSession() {
  session = await call("GET", "/login/session").catch(() => session);
}

/** Whether the key is the anonymous one. */
export const isAnonymous = (key) => key === ANONYMOUS && !session.username;

async function call(method, path, { key, body } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    const response = await send(method, path, key, body);
    if (response.ok) return response.json();
    const refusal = await response.json().catch(() => ({}));
    // A limit without a return code counts calls by time: nothing was done, so the call may be repeated.
    if (response.status === 429 && !refusal.rc && attempt < PATIENCE) {
      await pause(Math.min(Number(response.headers.get("Retry-After")) || 1, 5));
      continue;
    }
    refusal.message ??= `The horde answered ${response.status}.`;
    throw new ApiError(response.status, refusal);
  }
}

async function send(method, path, key, body) {
  const headers = { Accept: "application/json", "Client-Agent": AGENT };
  if (key === ANONYMOUS && session.username) headers["X-CSRF-Token"] = session.csrf_token;
  else if (key) headers.apikey = key;
  if (body) headers["Content-Type"] = "application/json";
  try {
    return await fetch(BASE + path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  } catch {
    throw new ApiError(0, { message: "The horde does not answer. Is the server running?" });
  }
}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
