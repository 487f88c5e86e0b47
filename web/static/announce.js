/** Says aloud, to those who listen rather than look, what has happened. */

const place = document.getElementById("announcer");

export function announce(words) {
  place.textContent = words;
}
