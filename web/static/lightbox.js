/** A picture as large as the window; arrow keys go through all finished ones. */

const dialog = document.getElementById("lightbox");
const image = document.getElementById("lightbox-image");
const caption = document.getElementById("lightbox-caption");
const previous = document.getElementById("lightbox-previous");
const following = document.getElementById("lightbox-next");
let shown = null;

/** Show the picture of this button (`.open`), which must hold an image. */
export function open(button) {
  show(button);
  dialog.showModal();
}

function show(button) {
  shown = button;
  const { src, alt } = button.querySelector("img");
  image.src = src;
  image.alt = alt;
  const about = button.closest(".tile");
  const words = [".maker", ".details"].map((part) => about.querySelector(part).textContent);
  previous.hidden = !neighbour(-1);
  following.hidden = !neighbour(1);
  caption.textContent = [alt, ...words].filter(Boolean).join(" · ");
}

function neighbour(by) {
  const all = [...document.querySelectorAll(".tile .open")];
  return all[all.indexOf(shown) + by];
}

function go(by) {
  const next = neighbour(by);
  if (next) show(next);
}

previous.addEventListener("click", () => go(-1));
following.addEventListener("click", () => go(1));
document.getElementById("lightbox-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
dialog.addEventListener("keydown", ({ key }) => {
  if (key === "ArrowLeft") go(-1);
  if (key === "ArrowRight") go(1);
});
dialog.addEventListener("close", () => {
  image.removeAttribute("src");
  shown?.focus();
});
