// A visit of @zeldafan0225/ai_horde to a horde, step by step. Run by test_npm.py.
//
// Reads a JSON object from its standard input: url, owner and moderator (API keys), receiver (an
// alias), picture (base64), and where the package is. Prints one JSON object: what each step gave,
// the methods that were called, those that there are, and hosts other than the server.

import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const visit = JSON.parse(await text(process.stdin));
const { AIHorde } = createRequire(visit.node_modules)("@zeldafan0225/ai_horde");

const outside = [];
const { fetch: unguarded } = globalThis;
globalThis.fetch = (address, options) => {
  const { host } = new URL(address);
  if (host !== new URL(visit.url).host) outside.push(host);
  return unguarded(address, options);
};

const called = { horde: new Set(), ratings: new Set() };
const watched = (client, calls) =>
  new Proxy(client, {
    get: (target, name) => {
      const value = target[name];
      if (typeof value !== "function") return value;
      return (...given) => {
        calls.add(name);
        return value.apply(target, given);
      };
    },
  });

const client = new AIHorde({
  api_route: `${visit.url}/api/v2`,
  ratings_api_route: `${visit.url}/api/v1`,
  default_token: visit.owner,
  client_agent: "visit:1:nobody",
});
const horde = watched(client, called.horde);
const ratings = watched(client.ratings, called.ratings);
const owner = { token: visit.owner, force: true };
const moderator = { token: visit.moderator, force: true };

const agent = "AI Horde Worker reGen:13:https://example.com";
const seen = {};

async function image() {
  const params = { width: 64, height: 64, steps: 1 };
  const wanted = { prompt: "a red fox", models: ["stable_diffusion"], params, shared: true };
  const asked = await horde.postAsyncImageGenerate(wanted);
  const offer = { name: "npm image", models: wanted.models, bridge_agent: agent, nsfw: true };
  const popped = await horde.postImageGenerationPop(offer);
  const bytes = Buffer.from(visit.picture, "base64");
  const uploaded = await fetch(popped.r2_upload, { method: "PUT", body: bytes });
  const result = { id: popped.id, generation: "R2", seed: 7 };
  const submitted = await horde.postImageGenerationSubmit(result);
  const check = await horde.getImageGenerationCheck(asked.id, { force: true });
  const status = await horde.getImageGenerationStatus(asked.id, { force: true });
  const [generation] = status.generations;
  const rating = { ratings: [{ id: generation.id, rating: 8, artifacts: 1 }] };
  const rated = await horde.postRating(asked.id, rating);
  const cancelled = await horde.deleteImageGenerationRequest(asked.id);
  return {
    price: asked.kudos,
    prompt: popped.payload.prompt,
    uploaded: uploaded.status,
    reward: submitted.reward,
    done: check.done,
    seed: generation.seed,
    rated: rated.reward,
    left: cancelled.waiting,
  };
}

async function writing() {
  const wanted = { prompt: "Once upon a time", params: { max_length: 16 } };
  const asked = await horde.postAsyncTextGenerate(wanted);
  const offer = { name: "npm text", models: ["a text model"], max_length: 512, bridge_agent: agent };
  const popped = await horde.postTextGenerationPop(offer);
  const result = { id: popped.id, generation: "there was a fox", state: "ok" };
  const submitted = await horde.postTextGenerationSubmit(result);
  const status = await horde.getTextGenerationStatus(asked.id, { force: true });
  const cancelled = await horde.deleteTextGenerationRequest(asked.id);
  return {
    prompt: popped.payload.prompt,
    reward: submitted.reward,
    text: status.generations[0].text,
    done: cancelled.done,
  };
}

async function alchemy() {
  const wanted = { forms: [{ name: "caption" }], source_image: visit.picture };
  const asked = await horde.postAsyncInterrogate(wanted);
  const offer = { name: "npm alchemist", forms: ["caption"], bridge_agent: agent };
  const popped = await horde.postInterrogationPop(offer);
  const [form] = popped.forms;
  const result = { id: form.id, result: { caption: "a fox" }, state: "ok" };
  const submitted = await horde.postInterrogationSubmit(result);
  const status = await horde.getInterrogationStatus(asked.id, { force: true });
  const cancelled = await horde.deleteInterrogationRequest(asked.id);
  return {
    form: form.form,
    reward: submitted.reward,
    result: status.forms[0].result,
    state: cancelled.state,
  };
}

async function people() {
  const me = await horde.findUser(owner);
  const fields = await horde.getUserDetails(me.id, { ...owner, fields: ["username", "id"] });
  const updated = await horde.updateUser({ public_workers: true }, me.id, owner);
  const transfer = { username: visit.receiver, amount: 5 };
  const given = await horde.postKudosTransfer(transfer, owner);
  const shared = await horde.putSharedKey({ name: "npm key", kudos: 100 }, owner);
  const changed = await horde.updateSharedKey({ kudos: 50 }, shared.id, owner);
  const found = await horde.getSharedKey(shared.id);
  return {
    username: me.username,
    fields,
    updated,
    given: given.transferred,
    kudos: [shared.kudos, changed.kudos, found.kudos],
    deleted: (await horde.deleteSharedKey(shared.id, owner)).message,
    users: (await horde.getUsers({ force: true })).length,
  };
}

async function workersAndTeams() {
  const worker = (await horde.getWorkers()).find(({ name }) => name === "npm image");
  const details = await horde.getWorkerDetails(worker.id, owner);
  const team = await horde.createTeam({ name: "npm team", info: "of a visit" }, owner);
  const joined = await horde.updateWorker({ team: team.id }, worker.id, owner);
  const renamed = await horde.updateTeam({ info: "of the visit" }, team.id, owner);
  const seenTeam = await horde.getTeam(team.id, moderator);
  const teams = (await horde.getTeams()).map(({ name }) => name);
  const deletedWorker = await horde.deleteWorker(worker.id, owner);
  const deletedTeam = await horde.deleteTeam(team.id, owner);
  return {
    details: details.name,
    joined: joined.team,
    info: [renamed.info, seenTeam.info],
    teams,
    deleted: [deletedWorker.deleted_name, deletedTeam.deleted_name],
  };
}

async function overview() {
  const models = await horde.getModels({ force: true });
  const months = async (call) => Object.keys(await call).sort();
  return {
    heartbeat: await horde.getHeartbeat(),
    models: models.map(({ name }) => name),
    model: (await horde.getModel("stable_diffusion")).length,
    modes: await horde.getModes(moderator),
    news: Array.isArray(await horde.getNews({ force: true })),
    workers: (await horde.getPerformance({ force: true })).worker_count,
    stats: [
      await months(horde.getImageModelStats()),
      await months(horde.getImageTotalStats()),
      await months(horde.getTextModelStats()),
      await months(horde.getTextTotalStats()),
    ],
  };
}

async function moderation() {
  const filter = { regex: "a bad word", filter_type: 10, description: "of a visit" };
  const added = await horde.addFilter(filter, "", moderator);
  const changed = await horde.updateFilter({ description: "changed" }, added.id, moderator);
  const suspicion = await horde.postFilters({ prompt: "this is a bad word" }, moderator);
  const listed = await horde.getFilters({ contains: "bad word" }, moderator);
  const found = await horde.getFilter(added.id, moderator);
  const deleted = await horde.deleteFilter(added.id, moderator);
  const raid = await horde.putStatusModes({ raid_mode: true }, moderator);
  const calm = await horde.putStatusModes({ raid_mode: false }, moderator);
  const lifted = await horde.deleteIPTimeout({ ipaddr: "198.51.100.7" }, moderator);
  return {
    descriptions: [added.description, changed.description, found.description],
    matches: suspicion.matches,
    listed: listed.length,
    deleted: deleted.message,
    raid: [raid.raid_mode, calm.raid_mode],
    lifted: lifted.message,
  };
}

async function rating() {
  const [dataset] = await ratings.getDatasets();
  const teams = await ratings.getTeams();
  const shown = await ratings.getNewRating({}, moderator);
  const rated = await ratings.postRating(shown.id, { rating: 7, artifacts: 0 }, moderator);
  return { dataset, teams: Array.isArray(teams), shown: shown.url, rated };
}

const steps = { image, writing, alchemy, people, overview, moderation, rating, workersAndTeams };
for (const [name, step] of Object.entries(steps)) {
  try {
    seen[name] = await step();
  } catch (error) {
    seen[name] = { error: String(error), body: error.rawError ?? null, at: error.stack };
  }
}

const methods = ({ constructor }) =>
  Object.entries(Object.getOwnPropertyDescriptors(constructor.prototype))
    .filter(([name, { value }]) => name !== "constructor" && typeof value === "function")
    .map(([name]) => name);
console.log(
  JSON.stringify({
    ...seen,
    called: { horde: [...called.horde], ratings: [...called.ratings] },
    offered: { horde: methods(client), ratings: methods(client.ratings) },
    outside,
  }),
);
