/** A finished picture's data: the API gives a link, or the WebP itself as base64. */

const LINK = /^https?:\/\//i;

/** A URL for `src` and `href`, even if the data is invalid; pass it to `forget` when it is no longer shown. */
export function address(img) {
  if (LINK.test(img)) return img;
  return URL.createObjectURL(new Blob([bytesOf(img)], { type: "image/webp" }));
}

function bytesOf(base64) {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array(); // the image then shows that it cannot be loaded
  }
}

export function forget(url) {
  if (url.startsWith("blob:")) URL.revokeObjectURL(url);
}

/** A file name for it: the prompt, and the seed to make it again. */
export function fileName(prompt, seed) {
  const words = prompt.toLowerCase().normalize("NFKD").replace(/[^\p{L}\p{N}]+/gu, "-");
  const short = words.slice(0, 48).replace(/^-+|-+$/g, "");
  return `${short || "picture"}-${seed}.webp`;
}
