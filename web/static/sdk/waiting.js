/** Limits of time, and pauses. */

const PAUSE = { first: 0.5, longest: 10 }; // s

/**
 * A signal that aborts with `reason` after some seconds (undefined: never), and as `outer` does.
 * renew(): the time begins again. end(): it will not abort any more.
 */
export function limited(seconds, outer, reason) {
  const controller = new AbortController();
  const leave = () => controller.abort(outer.reason);
  let timer = 0;
  const renew = () => {
    clearTimeout(timer);
    if (seconds !== undefined) timer = setTimeout(() => controller.abort(reason), seconds * 1000);
  };
  outer?.addEventListener("abort", leave, { once: true });
  if (outer?.aborted) leave();
  else renew();
  const end = () => {
    clearTimeout(timer);
    outer?.removeEventListener("abort", leave);
  };
  return { signal: controller.signal, renew, end };
}

/** Wait; throws the signal's reason if that aborts. */
export async function pause(seconds, signal) {
  signal?.throwIfAborted();
  const limit = limited(seconds, signal);
  try {
    await new Promise((resolve) => limit.signal.addEventListener("abort", resolve, { once: true }));
  } finally {
    limit.end();
  }
  signal?.throwIfAborted();
}

/** The seconds to wait after so many failures, half of them by chance so that not all come at once. */
export function backOff(failures) {
  return Math.min(PAUSE.longest, PAUSE.first * 2 ** failures) * (0.5 + Math.random() / 2);
}
