/** Announces to screen readers what has happened. */

const place = document.getElementById("announcer");

export function announce(words) {
  place.textContent = words;
}
