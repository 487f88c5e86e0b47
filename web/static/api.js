/** The calls of this page to its horde: by the key in the form, or as who is logged in here. */

import { ANONYMOUS_KEY, Horde } from "./sdk/stable-horde.js";

export const ANONYMOUS = ANONYMOUS_KEY;

const horde = new Horde("", {
  apiKey: "",
  clientAgent: "Stable Horde Page:1:https://github.com/stable-horde/stable-horde",
  attempts: 3,
  headers: (key) => (session.username && !key ? { "X-CSRF-Token": session.csrf_token } : {}),
});

let session = { csrf_token: "" };

/** Find out whether somebody is logged in in this browser; without a key, calls are then theirs. */
export async function useSession() {
  session = await horde.call("GET", "/v2/login/session").catch(() => session);
}

/** Whether the key is the anonymous one, and nobody is logged in. */
export const isAnonymous = (key) => key === ANONYMOUS && !session.username;

const as = (key) => horde.withKey(key === ANONYMOUS && session.username ? "" : key);

export const ask = (key, request) => as(key).generate(request);
export const price = (key, request) => ask(key, { ...request, dry_run: true });
export const user = (key) => as(key).users.me();
export const stream = (id, options) => horde.listen(id, options);
export const check = (id) => horde.check(id);
export const status = (id) => horde.status(id);
export const cancel = (id) => horde.cancel(id);
export const performance = () => horde.performance();
export const models = () => horde.models.active({ type: "image" });
export const model = (name) => horde.models.knownNamed(name);
