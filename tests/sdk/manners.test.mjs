/** The JavaScript SDK with a server that does what a test says: limits, repetitions, broken answers. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";

import * as sdk from "../../web/static/sdk/stable-horde.js";

const { Horde } = sdk;
const CHECK = { finished: 0, processing: 0, waiting: 1, done: false, wait_time: 1, queue_position: 1, kudos: 0 };
const DONE = { ...CHECK, finished: 1, waiting: 0, done: true };
const PICTURE = { id: "a", img: "QUJD", seed: "1" };

let steps = [];
let asked = [];
let url = "";
const server = createServer((request, response) => {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    asked.push({ method: request.method, path: request.url, headers: request.headers, body });
    const step = steps.length > 1 ? steps.shift() : steps[0];
    step(response, request);
  });
});

const answer = (status, body = {}, headers = {}) => (response) => {
  response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
};
const drop = (response) => response.destroy();
const hang = () => {};
const stream = (events, { ends = true } = {}) => (response) => {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  for (const { type, ...data } of events) response.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  if (ends) response.end();
};
const will = (...these) => (steps = these);
const client = (options) => new Horde(url, { attempts: 3, pollSeconds: 0.01, apiKey: "my key", ...options });
const all = async (events) => {
  const seen = [];
  for await (const event of events) seen.push(event);
  return seen;
};

before(async () => {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${server.address().port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
});

test("what passes is tried again", async () => {
  will(answer(503), drop, answer(200, { message: "OK" }));
  assert.deepEqual(await client().heartbeat(), { message: "OK" });
  assert.equal(asked.length, 3);
});

test("what would happen twice is not repeated", async () => {
  for (const step of [answer(503), drop, answer(429, { message: "too many waiting", rc: "TooManyPrompts" })]) {
    for (const call of [(h) => h.generate({}), (h) => h.sharedKeys.create({}), (h) => h.users.edit(1, {})]) {
      asked = [];
      will(step);
      await assert.rejects(call(client()), sdk.HordeError);
      assert.equal(asked.length, 1);
    }
  }
});

test("what came too soon is asked again", async () => {
  will(answer(429, { message: "2 per 1 second" }, { "Retry-After": "0" }), answer(202, { id: "1" }));
  assert.equal((await client().generate({ prompt: "x" })).id, "1");
  will(answer(429, { message: "2 per 1 day" }, { "Retry-After": "61" }));
  await assert.rejects(client().heartbeat(), { name: "TooMany", message: "Too many calls: 2 per 1 day.", retryAfterSeconds: 61 });
  assert.equal(asked.length, 3);
});

test("a transfer is one however often it is asked for", async () => {
  will(drop, answer(200, { transferred: 5 }));
  await client().kudos.transfer({ username: "a#1", amount: 5 });
  await client().kudos.transfer({ username: "a#1", amount: 5 }, { key: "mine" });
  const [first, second, other] = asked.map(({ headers }) => headers["idempotency-key"]);
  assert.equal(first, second);
  assert.equal(first.length, 32);
  assert.equal(other, "mine");
});

test("what a lost attempt has deleted is deleted", async () => {
  const gone = answer(404, { message: "no", rc: "TeamNotFound" });
  will(drop, gone);
  await client().teams.delete("1");
  will(gone);
  await assert.rejects(client().teams.delete("1"), sdk.NotFound);
});

test("arguments go into path, query and body", async () => {
  will(answer(200, []));
  await client().workers.all({ type: "image", name: undefined });
  await client().styles.editExample("../a b", "ü", { primary: true });
  assert.deepEqual(asked.map(({ method, path, body }) => [method, path, body]), [
    ["GET", "/api/v2/workers?type=image", ""],
    ["PATCH", "/api/v2/styles/image/..%2Fa%20b/example/%C3%BC", '{"primary":true}'],
  ]);
  assert.equal(asked[0].headers.apikey, "my key");
  await assert.rejects(client().teams.get(""), sdk.Invalid);
  await assert.rejects(async () => client().teams.get(), sdk.Invalid);
});

test("errors say what is wrong", async () => {
  will(answer(400, { message: "Input payload validation failed", errors: { prompt: "too short" } }));
  await assert.rejects(client().generate({}), { name: "Invalid", status: 400, errors: { prompt: "too short" } });
  will(answer(502, "<html>".padEnd(200_000)));
  await assert.rejects(client({ attempts: 1 }).heartbeat(), { name: "Unavailable", message: "The horde answered 502." });
});

test("an answer that is none is said to be one", async () => {
  will(answer(200, "<!doctype html>"));
  await assert.rejects(client().heartbeat(), { name: "UnexpectedAnswer", message: /a page for people instead of JSON/ });
});

test("an answer of 40 MB is not read to its end", async () => {
  let closed;
  const left = new Promise((resolve) => (closed = resolve));
  will((response) => {
    response.on("close", closed);
    response.writeHead(200);
    for (let k = 0; k < 40; k += 1) response.write("[".repeat(1_000_000));
  });
  await assert.rejects(client().workers.all(), { name: "TooLarge", message: /more than 16777216 bytes/ });
  await left;
});

test("a redirect is not followed, as the key must stay here", async () => {
  will(answer(302, "", { Location: "http://127.0.0.1:1/" }));
  await assert.rejects(client().heartbeat(), { name: "UnexpectedAnswer", message: /redirect/ });
});

test("a silent server is given up in time", async () => {
  will(hang);
  const silent = client({ timeoutSeconds: 0.05, attempts: 2 }).heartbeat();
  await assert.rejects(silent, { name: "Unreachable", message: /did not answer in 0.05 seconds/ });
  assert.equal(asked.length, 2);
});

test("a caller may give up", async () => {
  will(hang);
  const reason = new Error("no longer wanted");
  const aborting = new AbortController();
  const waiting = client().heartbeat(undefined, { signal: aborting.signal });
  setTimeout(() => aborting.abort(reason), 20);
  await assert.rejects(waiting, reason);
});

test("nobody listens", async () => {
  const nowhere = new Horde("http://127.0.0.1:1/api/v2/", { attempts: 1 });
  await assert.rejects(nowhere.heartbeat(), { name: "Unreachable", message: "127.0.0.1:1 does not answer. Is the server running?" });
});

test("a broken stream is connected again and no picture comes twice", async () => {
  const [waiting, first, end] = [{ type: "status", ...CHECK }, { type: "generation", ...PICTURE, index: 0 }, { type: "end", ...DONE }];
  will(stream([waiting, first]), answer(503), stream([waiting, first, { type: "unknown" }, end]));
  assert.deepEqual(await all(client().events("x")), [waiting, first, waiting, end]);
  assert.equal(asked.length, 3);
});

test("where there is no stream the request is polled", async () => {
  const pictures = { ...DONE, generations: [PICTURE] };
  will(answer(404, { message: "no such path" }), answer(200, CHECK), answer(200, DONE), answer(200, pictures));
  const types = (await all(client().events("x"))).map(({ type }) => type);
  assert.deepEqual(types, ["status", "status", "generation", "end"]);
});

test("texts and forms are looked at where a horde without streams has them", async () => {
  const forms = ["processing", "done"].map((state) => ({ state, forms: [{ form: "palette", state }] }));
  const looks = { text: [CHECK, DONE], alchemy: forms };
  for (const [kind, path] of [["text", "generate/text"], ["alchemy", "interrogate"]]) {
    asked = [];
    will(answer(404, { message: "no such path" }), ...looks[kind].map((look) => answer(200, look)));
    const seen = await all(client().events("x", { kind }));
    assert.deepEqual(seen.map(({ type, done }) => [type, done]), [["status", false], ["status", true], ["end", true]]);
    assert.deepEqual(asked.slice(1).map((one) => one.path), Array(2).fill(`/api/v2/${path}/status/x`));
  }
});

test("a request that is asked by a key", async () => {
  will(answer(202, { id: "x", repeated: false }));
  await client().generate({ prompt: "a fox" }, { key: "my own key" });
  await client().generate({ prompt: "a fox" });
  assert.deepEqual(asked.map(({ headers }) => headers["idempotency-key"]), ["my own key", undefined]);
});

test("a request that nobody knows", async () => {
  will(answer(404, { message: "gone", rc: "RequestNotFound" }));
  await assert.rejects(all(client().events("x")), sdk.NotFound);
  assert.equal(asked.length, 1);
});

test("waiting ends in time", async () => {
  will(stream([{ type: "status", ...CHECK }], { ends: false }));
  await assert.rejects(client().waitFor("x", { timeoutSeconds: 0.1 }), sdk.TimedOut);
});

test("an event may come in any pieces, however long", async () => {
  const long = { ...PICTURE, img: "ü".repeat(300_000), index: 0 };
  const whole = Buffer.from(`:\r\n\r\nevent: generation\r\ndata: ${JSON.stringify(long)}\r\n\r\n`);
  will((response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    for (let at = 0; at < whole.length; at += 4_001) response.write(whole.subarray(at, at + 4_001));
    response.end();
  });
  assert.deepEqual(await all(client().listen("x")), [{ type: "generation", ...long }]);
});

test("a picture is bytes, from base64 and from a URL, and no key goes there", async () => {
  assert.equal(Buffer.from(await client().download("QUJD")).toString(), "ABC");
  will(answer(200, "picture"));
  assert.equal(Buffer.from(await client().download(`${url}/a.webp`)).toString(), "picture");
  assert.equal(asked[0].headers.apikey, undefined);
  await assert.rejects(client().download(`${url}/a.webp`, { maxBytes: 3 }), sdk.TooLarge);
  await assert.rejects(client().download("QUJDRA==", { maxBytes: 3 }), sdk.TooLarge);
  await assert.rejects(client().download("§"), sdk.UnexpectedAnswer);
});
