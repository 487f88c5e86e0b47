/** The cost of the request, shown before it is sent, and the account's kudos. */

import * as api from "./api.js";
import * as form from "./form.js";
import { kudos } from "./words.js";

const PAUSE = 500; // ms without a change before the server is asked
const REMEMBERED = 200;

const place = document.getElementById("cost");
const account = document.getElementById("account-summary");
const prices = new Map();
let timer = 0;
let latest = 0;
let keyShown = "";

/** Keep the line above the button up to date. */
export function watch() {
  form.onChange(() => {
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE);
  });
  show();
}

/** Show the account's kudos again after a request has changed them. */
export async function showAccount() {
  const key = (keyShown = form.apiKey());
  if (api.isAnonymous(key)) return void (account.textContent = "anonymous");
  try {
    const user = await api.user(key);
    if (key === keyShown) account.textContent = `${user.username} · ${kudos(user.kudos)}`;
  } catch (error) {
    if (key === keyShown) account.textContent = error.offline ? "" : "nobody has this key";
  }
}

async function show() {
  if (form.apiKey() !== keyShown) showAccount();
  const turn = (latest += 1);
  try {
    const price = await priceOf(form.request(form.values()));
    if (turn === latest) place.textContent = `Costs ${kudos(price)}`;
  } catch (error) {
    if (turn === latest) place.textContent = whyNot(error);
  }
}

/** The page shows a wrong key, or that nothing answers, elsewhere. */
function whyNot(error) {
  if (error.offline || error.status === 401) return "";
  return Object.values(error.errors)[0] ?? error.message;
}

async function priceOf(request) {
  // The price is the same for every prompt, and each call counts against the same limit as a request.
  const asked = { ...request, prompt: "price", params: { ...request.params, seed: undefined } };
  const name = JSON.stringify([form.apiKey(), asked]);
  if (!prices.has(name)) {
    const told = await api.price(form.apiKey(), asked);
    if (prices.size >= REMEMBERED) prices.clear();
    prices.set(name, told.kudos_exact ?? told.kudos);
  }
  return prices.get(name);
}
