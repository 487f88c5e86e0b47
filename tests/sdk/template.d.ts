// Made by tests/sdk/declarations.py of docs/openapi.json.

export const ANONYMOUS_KEY: "0000000000";

export interface HordeOptions {
  /** Empty: no key is sent. */
  apiKey?: string;
  /** `name:version:contact` of the program that uses this. */
  clientAgent?: string;
  /** For each attempt, to the last byte. */
  timeoutSeconds?: number;
  /** How often what may be repeated is tried. */
  attempts?: number;
  /** How often a request is looked at where there is no event stream. */
  pollSeconds?: number;
  /** More headers for each call to the horde. */
  headers?: (apiKey: string) => Record<string, string>;
  fetch?: typeof fetch;
}

export interface CallOptions {
  /** Gives the call up. */
  signal?: AbortSignal;
  timeoutSeconds?: number;
  /** Of a transfer or a request: calls with the same key and content are the same one. */
  key?: string;
}

export type Kind = "image" | "text" | "alchemy";

export class Horde {
  /** url: with or without /api; empty: where this page comes from. */
  constructor(url?: string, options?: HordeOptions);
  /** The same horde for somebody else. */
  withKey(apiKey: string): Horde;
  /** The cost of a request, in kudos, without queueing it. */
  price(request: GenerationInputStable, options?: CallOptions): Promise<number>;
  /** Yield what happens to a request, its end last and each picture once, whatever breaks. */
  events(id: string, options?: { kind?: Kind; signal?: AbortSignal }): AsyncGenerator<HordeEvent, void>;
  /** Yield what one connection to a request's event stream says. */
  listen(id: string, options?: { signal?: AbortSignal }): AsyncGenerator<HordeEvent, void>;
  /** Wait until a request ends; its status, with its results. Throws TimedOut. */
  waitFor(id: string, options: WaitOptions & { kind: "text" }): Promise<RequestStatusKobold>;
  waitFor(id: string, options: WaitOptions & { kind: "alchemy" }): Promise<InterrogationStatus>;
  waitFor(id: string, options: WaitOptions & { kind?: "image" }): Promise<RequestStatusStable>;
  /** The bytes of a generation's `img`, which is a URL or base64. */
  download(image: string, options?: { signal?: AbortSignal; maxBytes?: number }): Promise<Uint8Array>;
  /** PUT a picture (WebP) to a URL from a pop's `r2_uploads`. */
  upload(url: string, content: BodyInit, options?: { signal?: AbortSignal }): Promise<void>;
  /** Call an endpoint that this class does not know. path: below /api. */
  call(method: string, path: string, options?: CallOptions & { input?: unknown; is?: string }): Promise<any>;
// operations
}

export interface WaitOptions {
  /** Absent: for ever. */
  timeoutSeconds?: number;
  /** Called with each event. */
  onEvent?: (event: HordeEvent) => void;
  signal?: AbortSignal;
}

export class HordeError extends Error {
  /** Of HTTP; 0 if there was no answer. */
  status: number;
  /** The server's return code, to branch on; empty if it gave none. */
  rc: string;
  /** What is wrong with the request, by dotted path. */
  errors: Record<string, string>;
  retryAfterSeconds?: number;
  /** Whether the server, or the way to it, is to blame, rather than the request. */
  get offline(): boolean;
}
export class Unreachable extends HordeError {}
export class TimedOut extends HordeError {}
export class UnexpectedAnswer extends HordeError {}
export class TooLarge extends UnexpectedAnswer {}
export class Invalid extends HordeError {}
export class Unauthenticated extends HordeError {}
export class Forbidden extends HordeError {}
export class NotFound extends HordeError {}
export class TooMany extends HordeError {}
export class Unavailable extends HordeError {}
