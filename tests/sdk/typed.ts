/** What editors and compilers know of the SDK: what is right is taken, and what is wrong is found. */

import { Horde, HordeError, NotFound, type RequestStatusStable } from "../../web/static/sdk/stable-horde.js";

const horde = new Horde("http://127.0.0.1:7001", { apiKey: "0000000000", pollSeconds: 1 });

export async function made(prompt: string): Promise<Uint8Array[]> {
  const price: number = await horde.price({ prompt, params: { width: 512, height: 512 } });
  const { id, repeated } = await horde.generate({ prompt, params: { n: 2, seed: "7" } }, { key: "a key that is kept" });
  console.log(price, repeated === true);
  const status: RequestStatusStable = await horde.waitFor(id, { timeoutSeconds: 60 });
  return Promise.all(status.generations.map(({ img }) => horde.download(img)));
}

export async function watched(id: string): Promise<string> {
  for await (const event of horde.events(id, { kind: "text" })) {
    if (event.type === "progress") return `${event.step / event.steps} ${event.text ?? ""}`;
    if (event.type === "generation") return event.worker_name;
    if (event.type === "status") return `${event.queue_position}`;
  }
  return "";
}

export async function others(): Promise<void> {
  const { generations } = await horde.waitFor("id", { timeoutSeconds: 1, kind: "text" });
  const written: string = generations[0]?.text ?? "";
  const [team] = await horde.teams.all();
  const name: string | null | undefined = team?.name;
  await horde.workers.edit("id", { maintenance: true });
  await horde.kudos.transfer({ username: "alice#1", amount: 5 }, { key: "invoice 17" });
  try {
    await horde.users.get(1);
  } catch (error) {
    if (error instanceof NotFound) console.log(error.rc, error.retryAfterSeconds, written, name);
    if (error instanceof HordeError) console.log(error.errors.prompt);
  }
}

export async function wrong(): Promise<void> {
  // @ts-expect-error: a request has a prompt
  await horde.generate({});
  // @ts-expect-error: a width is a number
  await horde.generate({ prompt: "a fox", params: { width: "512" } });
  // @ts-expect-error: there is no such part
  await horde.pictures.all();
  // @ts-expect-error: somebody waits for so long at most
  await horde.waitFor("id");
  // @ts-expect-error: three kinds, and this is none
  horde.events("id", { kind: "video" });
}
