// Renders icons to raw pixels: node render.mjs SIDE ICONS.json OUT.rgba
// ICONS.json: a list of { set, name, colour }; colour, if any, is that of a black and white icon.
// Writes SIDE x SIDE x 4 bytes for each, in order, colours premultiplied by alpha.
import { readFileSync, writeFileSync } from "node:fs";
import { Resvg } from "@resvg/resvg-js";

const [side, list, out] = process.argv.slice(2);
const sets = new Map();

function setOf(name) {
  if (!sets.has(name)) {
    sets.set(name, JSON.parse(readFileSync(`node_modules/@iconify-json/${name}/icons.json`, "utf8")));
  }
  return sets.get(name);
}

const pictures = JSON.parse(readFileSync(list, "utf8")).map(({ set, name, colour }) => {
  const icons = setOf(set);
  const icon = icons.icons[name];
  if (!icon) throw new Error(`${set} has no icon ${name}`);
  const width = icon.width ?? icons.width ?? 16;
  const height = icon.height ?? icons.height ?? 16;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
    `viewBox="${icon.left ?? 0} ${icon.top ?? 0} ${width} ${height}" ` +
    `width="${side}" height="${side}"><g color="${colour ?? "#000"}">${icon.body}</g></svg>`;
  const rendered = new Resvg(svg, {
    fitTo: { mode: "width", value: Number(side) },
    font: { loadSystemFonts: false },
  }).render();
  if (rendered.height !== Number(side)) throw new Error(`${set}: ${name} is not square`);
  return rendered.pixels;
});
writeFileSync(out, Buffer.concat(pictures));
