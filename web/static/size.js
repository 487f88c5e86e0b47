/** Sizes of pictures: multiples of 64 pixels, and shapes that keep the area. */

export const STEP = 64;
export const LEAST = 64;
export const MOST = 3072;

const SAME_SHAPE = 0.06; // a ratio this close (by logarithm) still counts, since sides snap

/** The nearest side that is allowed; `otherwise` if the text is not a number. */
export function snap(side, otherwise) {
  const pixels = Number(side);
  if (!Number.isFinite(pixels) || pixels <= 0) return otherwise;
  return Math.min(MOST, Math.max(LEAST, Math.round(pixels / STEP) * STEP));
}

/** Width and height of about `area` pixels in the shape, such as "3:4". */
export function fit(shape, area) {
  const width = Math.sqrt(area * ratio(shape));
  return { width: snap(width, STEP), height: snap(width / ratio(shape), STEP) };
}

/** The shape of the size, or undefined if it is another one. */
export function shapeOf(width, height, shapes) {
  const distance = (shape) => Math.abs(Math.log(width / height / ratio(shape)));
  const nearest = shapes.reduce((best, shape) => (distance(shape) < distance(best) ? shape : best));
  return distance(nearest) < SAME_SHAPE ? nearest : undefined;
}

function ratio(shape) {
  const [across, down] = shape.split(":").map(Number);
  return across / down;
}
