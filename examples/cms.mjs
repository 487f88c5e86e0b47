/**
 * Pictures for the articles of a website: from a CSV of articles to files and an HTML index.
 *
 *     node examples/cms.mjs articles.csv public/
 *
 * The CSV has the columns `slug`, `title`, `prompt` and, if you like, `alt`; HORDE_URL and
 * HORDE_API_KEY say who is asked, and as whom. Run it after each change of the CSV: only what is new is
 * made, and what was asked before a crash is not asked twice. Pictures that have no text for readers
 * who cannot see them get the prompt.
 */
import { createHash, randomUUID } from "node:crypto";
import { access, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Horde } from "../web/static/sdk/stable-horde.js";

const AT_ONCE = 3;
const TIMEOUT_SECONDS = 1200;

const [articles, site] = process.argv.slice(2);
if (!articles || !site) {
  console.error("node examples/cms.mjs articles.csv public/");
  process.exit(2);
}
const horde = new Horde(process.env.HORDE_URL ?? "http://127.0.0.1:7001", { apiKey: process.env.HORDE_API_KEY });
const record = join(site, "pictures.json");

await mkdir(site, { recursive: true });
const rows = records(await readFile(articles, "utf8"));
const known = JSON.parse(await readFile(record, "utf8").catch(() => "{}"));
const left = rows.values();
let kept = Promise.resolve();
await Promise.all(Array.from({ length: AT_ONCE }, worker));
const figures = rows.map((row) => figure(row, known[row.slug].file));
await writeFile(join(site, "index.html"), `<!doctype html>\n<title>Articles</title>\n${figures.join("\n")}\n`);

async function worker() {
  for (const row of left) await illustrate(row);
}

/** Make the picture of an article, unless it is there. */
async function illustrate({ slug, prompt }) {
  const before = known[slug];
  if (before?.prompt === prompt && before.file && (await exists(join(site, before.file)))) return;
  // The key is kept before anything is asked: with it, the same request may be asked again.
  const key = before?.prompt === prompt && !before.file ? before.key : randomUUID();
  known[slug] = { prompt, key };
  await keep();
  const { id } = await horde.generate({ prompt }, { key });
  const { generations } = await horde.waitFor(id, { timeoutSeconds: TIMEOUT_SECONDS });
  if (!generations.length) throw new Error(`${slug}: nobody could make it`);
  const [{ img, seed, model, worker_name }] = generations;
  const picture = await horde.download(img);
  const file = `${slug}.webp`;
  await writeFile(join(site, file), picture);
  const sha256 = createHash("sha256").update(picture).digest("hex");
  known[slug] = { prompt, file, seed, model, worker: worker_name, sha256 };
  await keep();
  console.log(`${file}: made by ${worker_name}`);
}

/**
 * Whoever is cut off here finds the old record or the new one, and never half of one; one is written
 * after the other, so that none replaces a newer one.
 */
function keep() {
  kept = kept.then(async () => {
    const copy = `${record}.${randomUUID()}`;
    await writeFile(copy, JSON.stringify(known, null, 2));
    await rename(copy, record);
  });
  return kept;
}

function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  );
}

function figure({ title, prompt, alt }, file) {
  return `<figure><img src="${escape(file)}" alt="${escape(alt || prompt)}"><figcaption>${escape(title)}</figcaption></figure>`;
}

function escape(text) {
  return text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
}

/** The rows of a CSV file (RFC 4180), by the names of its first line. */
function records(text) {
  const table = [[]];
  for (const [, quoted, plain, end] of text.replace(/^\uFEFF/, "").matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    table.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ",") table.push([]);
  }
  const [names, ...lines] = table.filter((line) => line.some(Boolean));
  return lines.map((line) => Object.fromEntries(names.map((name, at) => [name, line[at] ?? ""])));
}
