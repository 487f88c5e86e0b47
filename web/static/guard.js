/** Shows an error if the page's modules cannot be loaded, or fail before the page has started. */

const show = () => {
  const stuck = document.getElementById("stuck");
  if (stuck) stuck.hidden = false;
  else addEventListener("DOMContentLoaded", show);
};
addEventListener("error", show, true); // in capture: errors of loading do not bubble
addEventListener("started", () => removeEventListener("error", show, true));
