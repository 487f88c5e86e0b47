/** What can go wrong when a horde is called; each with a sentence for people as its message. */

export class HordeError extends Error {
  /**
   * status: of HTTP; 0 if there was no answer. rc: the server's return code, to branch on.
   * errors: what is wrong with the request, by dotted path. retryAfterSeconds: as the server asks.
   */
  constructor(message, { status = 0, rc = "", errors = {}, retryAfterSeconds } = {}) {
    super(message);
    Object.assign(this, { status, rc, errors, retryAfterSeconds });
    this.name = new.target.name;
  }

  /** Whether the server, or the way to it, is to blame, rather than the request. */
  get offline() {
    return this instanceof Unreachable || this instanceof Unavailable || this instanceof UnexpectedAnswer;
  }
}

/** There was no answer; it is unknown whether the server has acted. */
export class Unreachable extends HordeError {}
/** The awaited result did not come within the caller's time; the request lives on. */
export class TimedOut extends HordeError {}
/** The answer is not one of the API: another program answers, or another version. */
export class UnexpectedAnswer extends HordeError {}
/** The answer is longer than it may be; the rest was not read. */
export class TooLarge extends UnexpectedAnswer {}
/** 400: `errors` says what is wrong with which field. */
export class Invalid extends HordeError {}
/** 401: the server does not know the key. */
export class Unauthenticated extends HordeError {}
/** 403: the key's user may not do this. */
export class Forbidden extends HordeError {}
/** 404: no such thing, or no longer. */
export class NotFound extends HordeError {}
/** 429: too many calls, or too much waiting already. */
export class TooMany extends HordeError {}
/** 408 and 5xx: the server, or something before it, cannot answer now. */
export class Unavailable extends HordeError {}

const BY_STATUS = { 400: Invalid, 401: Unauthenticated, 403: Forbidden, 404: NotFound, 408: Unavailable, 429: TooMany };
const PASSING = new Set([408, 429, 502, 503, 504]);
const MAX_MESSAGE_CHARS = 1000;

/** Read the error that a server answered. text: the beginning of its body. */
export function fromAnswer(response, text) {
  const { status } = response;
  let { message, rc, errors } = parsed(text);
  if (typeof rc !== "string") rc = "";
  if (typeof message !== "string") message = `The horde answered ${status}.`;
  else if (status === 429 && !rc) message = `Too many calls: ${message}.`;
  const wrong = errors !== null && typeof errors === "object" ? errors : {};
  const kind = BY_STATUS[status] ?? (status >= 500 ? Unavailable : UnexpectedAnswer);
  const retryAfterSeconds = seconds(response.headers.get("Retry-After"));
  return new kind(message.slice(0, MAX_MESSAGE_CHARS), { status, rc, errors: wrong, retryAfterSeconds });
}

/** Whether the same call may succeed a little later. adds: whether it would happen twice. */
export function mayPass(error, adds) {
  // A limit without a return code counts calls by time: nothing was done.
  if (adds) return error instanceof TooMany && !error.rc;
  return error instanceof Unreachable || (error instanceof HordeError && PASSING.has(error.status));
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {}; // a proxy's page
  }
}

function seconds(header) {
  if (!header) return undefined;
  if (/^\d+$/.test(header)) return Number(header);
  const left = (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(left) ? undefined : Math.max(0, left);
}
