/** How far a request is, by looking: each kind has its own place for that. */

const ENDED = ["done", "faulted", "cancelled"];

/** The status of a request, with its results. kind: image, text or alchemy. */
export function statusOf(horde, kind, id, options) {
  const part = { image: horde, text: horde.text, alchemy: horde.alchemy }[kind];
  return part.status(id, undefined, options);
}

/** How far it is, in the words of pictures. Not every horde has a check of what is no picture. */
export async function look(horde, kind, id, options) {
  if (kind === "image") return horde.check(id, undefined, options);
  const status = await statusOf(horde, kind, id, options);
  return kind === "alchemy" ? counted(status) : status;
}

function counted({ state, forms }) {
  const states = forms.map((form) => form.state);
  const [finished, processing, waiting] = ["done", "processing", "waiting"].map(
    (one) => states.filter((other) => other === one).length,
  );
  const done = states.every((one) => ENDED.includes(one));
  const unknown = { restarted: 0, wait_time: 0, queue_position: 0, kudos: 0, is_possible: true };
  return { finished, processing, waiting, done, faulted: state === "faulted", ...unknown };
}
