import { assert, assertEquals } from "@std/assert";
import {
  alertOf,
  healthRecord,
  openTestHive,
  processRecord,
  type TestHive,
  type TestProcess,
} from "../api/_test_support.ts";
import { KINDS } from "../../common/record/mod.ts";
import { TABLE_KIND } from "../../common/wire/mod.ts";
import { LOGIN_FAILURES_MAX, newSecret } from "../operators/mod.ts";
import { ASSETS } from "./assets.ts";

const SHELL: TestProcess = {
  pid: 700,
  bootS: 3590,
  image: "/usr/bin/bash",
  argv: ["bash", "-c", "</code><script>alert(1)</script>&\"'"],
};
const HTML = { accept: "text/html" };
const ORIGIN = { origin: "http://localhost" };

function post(
  hive: TestHive,
  path: string,
  headers: Record<string, string>,
  code = "",
): Promise<Response> {
  return Promise.resolve(hive.api.request(path, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: new URLSearchParams({ code }).toString(),
  }));
}

async function signedIn(hive: TestHive): Promise<Record<string, string>> {
  const answer = await hive.api.request(`/login?code=${hive.operators.addLoginCode()}`);
  assertEquals([answer.status, answer.headers.get("location")], [303, "/"]);
  return { cookie: (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "" };
}

Deno.test("console leads who is not signed in to the login page", async () => {
  await using hive = await openTestHive();
  for (const path of ["/", "/overview", `/alerts/${"0".repeat(32)}`]) {
    const answer = await hive.api.request(path, { headers: HTML });
    assertEquals([answer.status, answer.headers.get("location")], [303, "/login"]);
    const live = await hive.api.request(path, { headers: { "HX-Request": "true" } });
    assertEquals([live.status, live.headers.get("HX-Redirect")], [401, "/login"]);
  }
  const token = { authorization: `Bearer ${hive.token}` };
  assertEquals((await hive.api.request("/", { headers: token })).status, 403);
});

Deno.test("console tells whose a connection is, from the sign-in on it and as long as it holds", async () => {
  await using hive = await openTestHive();
  const told: (string | undefined)[] = [];
  const peer = { askedBy: (who: string | undefined) => void told.push(who) };
  const ada = await hive.operators.accounts.add({ name: "ada", role: "viewer" });
  const link = `/login?code=${hive.operators.addInvite(ada)}`;
  const entered = await hive.api.request(link, {}, peer);
  assertEquals(told.splice(0), [undefined, ada.id]);
  const cookie = (entered.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const asking: Record<string, string>[] = [
    { cookie },
    { authorization: `Bearer ${hive.token}` },
    { authorization: `Bearer ${newSecret()}` },
    {},
  ];
  for (const headers of asking) await hive.api.request("/", { headers }, peer);
  assertEquals(told.splice(0), [ada.id, "host", undefined, undefined]);
  hive.operators.sessions.endOf(ada.id);
  await hive.api.request("/", { headers: { cookie } }, peer);
  assertEquals(told, [undefined]);
});

Deno.test("console's login link survives those that only look ahead", async () => {
  await using hive = await openTestHive();
  const link = `/login?code=${hive.operators.addLoginCode()}`;
  const looks = [
    { method: "HEAD" },
    { headers: { "Sec-Purpose": "prefetch;prerender" } },
    { headers: { Purpose: "prefetch" } },
  ];
  for (const look of looks) {
    const answer = await hive.api.request(link, look);
    assertEquals([answer.status, answer.headers.get("set-cookie")], [204, null]);
  }
  assertEquals((await hive.api.request(link)).status, 303);
  assertEquals((await hive.api.request(link)).status, 401);
});

Deno.test("console's login link from another site leads on by a page of ours", async () => {
  await using hive = await openTestHive();
  const answer = await hive.api.request(`/login?code=${hive.operators.addLoginCode()}`, {
    headers: { "Sec-Fetch-Site": "cross-site" },
  });
  assertEquals(answer.status, 200);
  assert(answer.headers.get("set-cookie")?.includes("SameSite=Strict"));
  assert((await answer.text()).includes('content="0;url=/"'));
});

Deno.test("console's cookie is for TLS alone when TLS is there", async () => {
  await using hive = await openTestHive();
  const code = hive.operators.addLoginCode();
  const answer = await hive.api.request(`https://localhost/login?code=${code}`);
  const cookie = answer.headers.get("set-cookie") ?? "";
  assert(/^__Host-immune_session=.*; HttpOnly; Secure; SameSite=Strict$/.test(cookie), cookie);
  assert(answer.headers.get("Strict-Transport-Security") !== null);
  // Over plain HTTP that session does not count.
  const plain = { cookie: cookie.split(";")[0] ?? "" };
  assertEquals((await hive.api.request("/", { headers: plain })).status, 303);
});

Deno.test("console's login form takes the operator token, from a page of ours alone", async () => {
  await using hive = await openTestHive();
  const foreign: Record<string, string>[] = [
    {},
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "http://localhost.evil.example" },
    { "Sec-Fetch-Site": "cross-site" },
    { origin: "http://evil.example", "Sec-Fetch-Site": "same-origin" },
  ];
  for (const headers of foreign) {
    const answer = await post(hive, "/login", headers, hive.token);
    assertEquals([answer.status, answer.headers.get("set-cookie")], [403, null]);
  }
  const answer = await post(hive, "/login", ORIGIN, hive.token);
  assertEquals([answer.status, answer.headers.get("location")], [303, "/"]);
  assert(answer.headers.get("set-cookie") !== null);
});

Deno.test("console's login form says why it did not work, and waits after many", async () => {
  await using hive = await openTestHive();
  for (let i = 0; i < LOGIN_FAILURES_MAX; i++) {
    const answer = await post(hive, "/login", { ...ORIGIN, ...HTML }, newSecret());
    assertEquals(answer.status, 401);
    assert((await answer.text()).includes('role="alert"'));
  }
  assertEquals((await post(hive, "/login", { ...ORIGIN, ...HTML }, hive.token)).status, 429);
  hive.clock.advance(60_000);
  assertEquals((await post(hive, "/login", { ...ORIGIN, ...HTML }, hive.token)).status, 303);
});

Deno.test("console signs out from a page of ours alone, and the session is over", async () => {
  await using hive = await openTestHive();
  const cookie = await signedIn(hive);
  assertEquals((await hive.api.request("/", { headers: cookie })).status, 200);
  const foreign = await post(hive, "/logout", { ...cookie, origin: "https://evil.example" });
  assertEquals(foreign.status, 403);
  assertEquals((await hive.api.request("/", { headers: cookie })).status, 200);
  const answer = await post(hive, "/logout", { ...cookie, ...ORIGIN });
  assertEquals([answer.status, answer.headers.get("location")], [303, "/login"]);
  assert(answer.headers.get("set-cookie")?.includes("Max-Age=0"));
  assertEquals((await hive.api.request("/", { headers: cookie })).status, 303);
});

Deno.test("console shows what comes from outside as text", async () => {
  await using hive = await openTestHive();
  const { alert, record } = alertOf(SHELL, { title: '<img src=x onerror="alert(1)">' });
  await hive.deliver([processRecord("exec", SHELL), record]);
  const headers = await signedIn(hive);
  for (const path of ["/", "/overview", `/alerts/${alert.id}`]) {
    const text = await (await hive.api.request(path, { headers })).text();
    assert(text.includes("&lt;script&gt;alert(1)&lt;/script&gt;"), path);
    assert(text.includes("&lt;img src=x"), path);
    assert(!/<img src=x|<script>/.test(text), path);
    // The policy would refuse both; they are not there in the first place.
    assert(!/ style=| on[a-z]+="/.test(text.replaceAll(/<pre[^]*?<\/pre>/g, "")), path);
  }
});

Deno.test("console shows what a sensor lost by cause and CPU, and which table was full", async () => {
  await using hive = await openTestHive();
  const none = { filtered: 0, folded: 0, unreadable: 0 };
  const opens = { kind: KINDS.open.id, seen: 9, submitted: 2, ...none, ringFull: 4, oversized: 3 };
  const table = { ...opens, kind: TABLE_KIND, source: 0, seen: 12, unreadable: 3 };
  await hive.deliver([healthRecord({
    tallies: [opens],
    places: [{ ...opens, source: 0x4003 }, table],
    detached: [{ program: "on_exit", count: 2 }],
  })]);
  const page = await (await hive.api.request("/", { headers: await signedIn(hive) })).text();
  for (
    const text of [
      "<li>open: ring full 4, oversized 3</li>",
      "<li>open on CPU 3: ring full 4, oversized 3</li>",
      "on_exit was found not attached 2 times",
    ]
  ) assert(page.includes(text), `${text} is not in\n${page}`);
  const row = /<th scope="row">processes<\/th>(.*?)<\/tr>/.exec(page)?.[1] ?? "";
  assertEquals([...row.matchAll(/>(\d+)<\/td>/g)].map((cell) => cell[1]), [
    "12",
    "2",
    "0",
    "4",
    "6",
  ]);
});

Deno.test("console shows what led to a correlation's alert, and the way to each", async () => {
  await using hive = await openTestHive();
  const { alert, record } = alertOf(SHELL, {});
  await hive.deliver([processRecord("exec", SHELL), record]);
  const found = {
    ...alert,
    id: "f".repeat(32),
    correlation: {
      type: "value_count",
      group: { CommandLine: "<b>x</b>" },
      value: 3,
      hits: 70,
      first: alert.time,
      last: alert.time,
      members: [
        { rule: "r", event: alert.id, time: alert.time, host: { id: "h", name: "gpu-<1>" } },
        { rule: "on a host", event: "boot/1/0/7", time: alert.time },
      ],
    },
  };
  await hive.store.detected({ alerts: [found] });
  const headers = await signedIn(hive);
  const text = await (await hive.api.request(`/alerts/${found.id}`, { headers })).text();
  assert(text.includes(`href="/alerts/${alert.id}"`));
  assert(text.includes("gpu-&lt;1&gt;") && text.includes("&lt;b&gt;x&lt;/b&gt;"));
  assert(text.includes("on a host") && !text.includes('href="/alerts/boot'));
  assert(text.includes("These are 2 of 70."));
});

Deno.test("console's session reads the API too, and makes no links or tokens", async () => {
  await using hive = await openTestHive();
  const headers = await signedIn(hive);
  assertEquals((await hive.api.request("/api/v1/status", { headers })).status, 200);
  const init = { method: "POST", headers: { ...headers, ...ORIGIN } };
  assertEquals((await hive.api.request("/api/v1/login-links", init)).status, 403);
});

Deno.test("console's login links come from the API, for the token's holder", async () => {
  await using hive = await openTestHive();
  const answer = await hive.api.request("/api/v1/login-links", {
    method: "POST",
    headers: { authorization: `Bearer ${hive.token}` },
  });
  const { path, expiresInSeconds } = await answer.json();
  assertEquals(expiresInSeconds, 600);
  assertEquals((await hive.api.request(path)).status, 303);
});

Deno.test("console's files never change under their path, and are there for everyone", async () => {
  await using hive = await openTestHive();
  for (const { path, type, text } of Object.values(ASSETS)) {
    const answer = await hive.api.request(path);
    assertEquals([answer.status, answer.headers.get("Content-Type")], [200, type]);
    assert(answer.headers.get("Cache-Control")?.includes("immutable"));
    assertEquals(await answer.text(), text);
  }
  const other = ASSETS.css.path.replace(/[0-9a-f]{16}/, "0".repeat(16));
  assertEquals((await hive.api.request(other)).status, 404);
  assertEquals((await hive.api.request("/assets/..%2fassets.ts")).status, 404);
  assert(!/@import|https?:/.test(ASSETS.css.text));
});

Deno.test("console answers what it does not have with a page", async () => {
  await using hive = await openTestHive();
  const headers = { ...await signedIn(hive), ...HTML };
  const answer = await hive.api.request(`/alerts/${"0".repeat(32)}`, { headers });
  assertEquals(answer.status, 404);
  assert((await answer.text()).includes("<h1>"));
});
