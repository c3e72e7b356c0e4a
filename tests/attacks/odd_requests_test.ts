import { assert, assertEquals } from "@std/assert";
import { HttpServer } from "../../hive/api/http_server.ts";
import { openOrderingHive, type OrderingHive } from "../support/orders.ts";

/** Longest wait for an answer, in milliseconds. */
const ANSWER_MS = 30_000;

/** The operators' port of a hive, as whoever reaches it finds it. */
async function onPort(
  test: (port: { readonly hive: OrderingHive; readonly server: HttpServer }) => Promise<void>,
): Promise<void> {
  await using hive = await openOrderingHive();
  const server = await HttpServer.listen((request, peer) => hive.api.fetch(request, peer), {
    hostname: "127.0.0.1",
    port: 0,
  });
  try {
    await test({ hive, server });
  } finally {
    await server.stop();
  }
}

const NESTED = "[".repeat(8000) + "]".repeat(8000);
const BODIES: readonly (string | Uint8Array<ArrayBuffer>)[] = [
  "",
  "{",
  "null",
  "[]",
  NESTED,
  new Uint8Array([0xff, 0xfe, 0x7b]),
  '{"__proto__":{"role":"admin"},"constructor":{"prototype":{}}}',
  '{"role":"viewer","role":"admin","name":"\\ud800"}',
  '{"order":{"kind":"policy","body":{"open":null,"wakeIntervalUs":1e400,"watch":null}}}',
  '{"order":{"kind":"rules","body":{"pack":null}},"valid":"99999999999999999999d"}',
  '{"directive":"AA=="}',
];
const TYPES = ["application/json", "application/json; charset=utf-16", "multipart/form-data", "x"];
const IDS = [
  "00000000-0000-4000-8000-000000000000",
  "%00",
  "..%2f..",
  "%ff",
  "a".repeat(500),
  "1e9",
];
const QUERIES = ["limit=-1", "limit=1&limit=2", "before=%00", "after=%ff", "kind=__proto__", "&=&"];

/** Every route of the API with its method. */
async function routes({ hive }: { readonly hive: OrderingHive }): Promise<readonly string[]> {
  const { paths } = await (await hive.get("/api/v1/openapi.json")).json();
  return Object.entries<object>(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
  );
}

Deno.test("no odd body, type, id or query makes the operators' port fail", () =>
  onPort(async ({ hive }) => {
    const failures: string[] = [];
    let tried = 0;
    const ask = async (route: string, init: RequestInit): Promise<void> => {
      const [method = "", path = ""] = route.split(" ");
      const id = IDS[tried++ % IDS.length] ?? "";
      const answer = await hive.api.request(path.replaceAll(/\{\w+\}/g, id), { method, ...init });
      await answer.body?.cancel();
      if (answer.status >= 500) failures.push(`${route} ${String(init.body)} ${answer.status}`);
    };
    const authorization = `Bearer ${hive.token}`;
    for (const route of await routes({ hive })) {
      if (route.startsWith("GET")) {
        for (const query of QUERIES) await ask(`${route}?${query}`, { headers: { authorization } });
        continue;
      }
      for (const body of BODIES) {
        for (const type of TYPES) {
          await ask(route, { body, headers: { authorization, "content-type": type } });
        }
      }
    }
    assert(tried > 300, `${tried} requests`);
    assertEquals([failures, hive.lines], [[], []]);
  }));

/** Says something raw, and gives the status of each answer until the other side ends. */
async function raw({ port }: HttpServer, text: string, half = false): Promise<readonly string[]> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const late = setTimeout(() => connection.close(), ANSWER_MS);
  try {
    await connection.write(new TextEncoder().encode(text));
    if (half) await connection.closeWrite();
    let heard = "";
    try {
      for await (const part of connection.readable) heard += new TextDecoder().decode(part);
    } catch (error) {
      // Ended with something still on its way to it.
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    return [...heard.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status = ""]) => status);
  } finally {
    clearTimeout(late);
  }
}

const HOST = "Host: localhost\r\n";
const SMUGGLED = "GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n";

Deno.test("what is no request, or two in one, ends its connection and nothing else", () =>
  onPort(async ({ server }) => {
    const rows: readonly (readonly [text: string, heard: RegExp, half?: boolean])[] = [
      [
        `POST /login HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n` +
        `0\r\n\r\n${SMUGGLED}`,
        /^400$/,
      ],
      [`POST /login HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, /^400$/],
      [
        `POST /login HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nZZ\r\n${SMUGGLED}`,
        /^400$/,
      ],
      [`GET / HTTP/1.1\r\n${HOST}A: ${"x".repeat(100_000)}\r\n\r\n`, /^(?:431)?$/],
      [`GET /${"x".repeat(100_000)} HTTP/1.1\r\n${HOST}\r\n`, /^(?:431)?$/],
      [`GET /login HTTP/1.1\r\n${HOST}host: evil.example\r\nConnection: close\r\n\r\n`, /^400$/],
      ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", /^400$/],
      [`POST /login HTTP/1.1\r\n${HOST}Content-Length: 50\r\n\r\ncode=`, /^(?:4\d\d)?$/, true],
    ];
    for (const [text, wanted, half] of rows) {
      const heard = await raw(server, text, half);
      assert(wanted.test(heard.join()), `${text.slice(0, 80)}: ${heard.join()}`);
    }
    const answer = await fetch(`http://127.0.0.1:${server.port}/login`);
    await answer.body?.cancel();
    assertEquals(answer.status, 200);
  }));

Deno.test("a page of another name that leads to this hive has no session and starts none", () =>
  onPort(async ({ hive, server }) => {
    const at = `http://127.0.0.1:${server.port}`;
    const link = `${at}/login?code=${hive.operators.addLoginCode()}`;
    const opened = await fetch(link, { redirect: "manual" });
    await opened.body?.cancel();
    const [cookie = ""] = opened.headers.getSetCookie();
    // Bound to the one name: a browser sends it nowhere else.
    assert(/HttpOnly/i.test(cookie) && /SameSite=Strict/i.test(cookie), cookie);
    assert(!/Domain=/i.test(cookie), cookie);
    const [session = ""] = cookie.split(";");
    const post = (headers: Record<string, string>): Promise<number> =>
      fetch(`${at}/logout`, { method: "POST", redirect: "manual", headers: { ...headers } })
        .then(async (answer) => (await answer.body?.cancel(), answer.status));
    for (
      const origin of ["http://evil.example", "null", "https://127.0.0.1:1", `${at}.evil.example`]
    ) {
      assertEquals([origin, await post({ cookie: session, origin })], [origin, 403]);
    }
    assertEquals(await post({ cookie: session, "sec-fetch-site": "cross-site" }), 403);
    assertEquals(await post({ cookie: session, origin: at }), 303);
    // It ended; what somebody kept of it is nothing now.
    const replayed = await fetch(`${at}/api/v1/status`, { headers: { cookie: session } });
    await replayed.body?.cancel();
    assertEquals(replayed.status, 401);
  }));
