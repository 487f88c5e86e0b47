// Renders icons of one set to raw pixels: node render.mjs SET SIDE NAMES.json OUT.rgba
// Writes SIDE x SIDE x 4 bytes for each name, in order, colours premultiplied by alpha.
import { readFileSync, writeFileSync } from "node:fs";
import { Resvg } from "@resvg/resvg-js";

const [set, side, names, out] = process.argv.slice(2);
const icons = JSON.parse(readFileSync(`node_modules/@iconify-json/${set}/icons.json`, "utf8"));
const pictures = JSON.parse(readFileSync(names, "utf8")).map((name) => {
  const icon = icons.icons[name];
  if (!icon) throw new Error(`${set} has no icon ${name}`);
  const width = icon.width ?? icons.width ?? 16;
  const height = icon.height ?? icons.height ?? 16;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
    `viewBox="${icon.left ?? 0} ${icon.top ?? 0} ${width} ${height}" ` +
    `width="${side}" height="${side}">${icon.body}</svg>`;
  const rendered = new Resvg(svg, {
    fitTo: { mode: "width", value: Number(side) },
    font: { loadSystemFonts: false },
  }).render();
  if (rendered.height !== Number(side)) throw new Error(`${set}: ${name} is not square`);
  return rendered.pixels;
});
writeFileSync(out, Buffer.concat(pictures));
