/** The JavaScript SDK with a real server, as somebody who asks and as a worker; what it saw, as JSON. */

import { readFileSync } from "node:fs";

import { Horde, Invalid, NotFound, Unauthenticated } from "../../web/static/sdk/stable-horde.js";

const told = JSON.parse(readFileSync(0, "utf8"));
const anonymous = new Horde(told.url);
const horde = anonymous.withKey(told.owner);
const seen = {};
const SMALL = { width: 64, height: 64, steps: 1 };

async function refused(call) {
  try {
    await call;
    return "not refused";
  } catch (error) {
    return [error.name, error.status, error.rc, Object.keys(error.errors)];
  }
}

{
  const wanted = { prompt: "a red fox", params: { ...SMALL, seed: "7" }, models: ["stable_diffusion"] };
  const price = await horde.price(wanted);
  const { id } = await horde.generate(wanted);
  const types = [];
  const waiting = horde.waitFor(id, { timeoutSeconds: 60, onEvent: ({ type }) => types.push(type) });
  const offer = { name: "sdk worker", models: ["stable_diffusion"], bridge_agent: told.agent, max_pixels: 4096 };
  const job = await horde.pop({ ...offer, wait: 10 });
  const heard = await horde.progress({ jobs: [{ id: job.id }], step: 1, steps: 2 });
  const picture = Uint8Array.from(atob(told.picture), (one) => one.charCodeAt(0));
  await horde.upload(job.r2_uploads[0], picture);
  const { reward } = await horde.submit({ id: job.id, generation: "R2", seed: 7 });
  const { done, generations } = await waiting;
  const got = await horde.download(generations[0].img);
  const again = await horde.generate(wanted);
  const { waiting: left } = await horde.cancel(again.id);
  seen.picture = {
    price: price > 0,
    prompt: job.payload.prompt,
    gone: heard.gone,
    reward: reward > 0,
    done,
    seed: generations[0].seed,
    same: got.length === picture.length && got.every((one, at) => one === picture[at]),
    types: [types[0], types.includes("generation"), types.at(-1)],
    left,
  };
}
{
  const { id } = await horde.text.generate({ prompt: "Once upon a time", models: ["sdk text"], params: { max_length: 16 } });
  const offer = { name: "sdk writer", models: ["sdk text"], bridge_agent: told.agent };
  const job = await horde.text.pop({ ...offer, wait: 10 });
  await horde.text.submit({ id: job.id, generation: "there was a fox" });
  const { generations } = await horde.waitFor(id, { timeoutSeconds: 60, kind: "text" });
  seen.text = generations.map(({ text }) => text);
}
{
  const before = (await horde.users.me()).kudos;
  const give = { username: told.receiver, amount: 5 };
  await horde.kudos.transfer(give, { key: "one transfer" });
  await horde.kudos.transfer(give, { key: "one transfer" });
  const { id, username } = await horde.users.me();
  const edited = await horde.users.edit(id, { public_workers: true });
  seen.account = { username, given: before - (await horde.users.me()).kudos, edited };
}
{
  const { id } = await horde.teams.create({ name: "sdk team", info: "of the visit" });
  const [worker] = await horde.workers.all({ type: "image", name: "sdk worker" });
  await horde.workers.edit(worker.id, { team: id, info: "moved" });
  const { name, team } = await horde.workers.named("sdk worker");
  await horde.teams.edit(id, { info: "changed" });
  const { info } = await horde.teams.get(id);
  await horde.teams.delete(id);
  seen.team = { name, team: team.name, info, gone: await refused(horde.teams.get(id)) };
}
{
  const performance = await anonymous.performance();
  const active = await anonymous.models.active({ type: "image" });
  const { maintenance_mode: maintenance } = await horde.modes();
  seen.horde = { maintenance, workers: performance.worker_count, models: active.map(({ name }) => name) };
}
seen.refused = {
  key: await refused(anonymous.withKey("no key").users.me()),
  unknown: await refused(anonymous.check("0f3c2a1e-1111-2222-3333-444455556666")),
  code: await refused(anonymous.users.logIn({ code: "WRONG" })),
  fields: await refused(anonymous.generate({ prompt: 5 })),
  classes: [NotFound, Unauthenticated, Invalid].map(({ name }) => name),
};
process.stdout.write(JSON.stringify(seen));
