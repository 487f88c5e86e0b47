/** Reads the bodies of answers, no further than they may be long. */

import { TooLarge, UnexpectedAnswer } from "./errors.js";

const MAX_EVENT_CHARS = 32 * 2 ** 20; // a picture of 20 MiB as base64 fits

/** The bytes of a body; undefined if there are more than `longest`. cut: then its beginning. */
export async function read(body, longest, { cut = false } = {}) {
  const parts = [];
  let size = 0;
  for await (const part of chunks(body)) {
    parts.push(part);
    size += part.length;
    if (size > longest && !cut) return undefined;
    if (size > longest) break;
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return cut ? whole.subarray(0, longest) : whole;
}

/** Yield {name, data} of server-sent events (WHATWG HTML, 9.2). onPart(): something came in. */
export async function* readEvents(body, onPart) {
  const decoder = new TextDecoder();
  let rest = []; // of a line that has not ended
  let [name, data] = ["", []];
  for await (const part of chunks(body)) {
    onPart();
    const text = decoder.decode(part, { stream: true });
    const lines = text.includes("\n") ? [...rest, text].join("").split("\n") : [];
    rest = lines.length ? [lines.pop()] : [...rest, text];
    for (const line of lines.map((one) => one.replace(/\r$/, ""))) {
      const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
      if (field === "event") name = value;
      if (field === "data") data.push(value);
      if (line) continue;
      if (data.length) yield { name, data: data.join("\n") };
      [name, data] = ["", []];
    }
    const open = [...data, ...rest].reduce((sum, one) => sum + one.length, 0);
    if (open > MAX_EVENT_CHARS) throw new UnexpectedAnswer("The horde sends an event that does not end.");
  }
}

/** The bytes that base64 stands for. */
export function fromBase64(text, longest) {
  if (text.length * 0.75 - 2 > longest) throw new TooLarge(`The picture has more than ${longest} bytes.`);
  try {
    return Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  } catch {
    throw new UnexpectedAnswer("The horde sent neither a picture nor the address of one.");
  }
}

/** Yield the parts of a body; who stops early closes the connection. */
async function* chunks(body) {
  if (!body) return;
  const reader = body.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
  } finally {
    reader.cancel().catch(() => {}); // it may have failed already
  }
}
