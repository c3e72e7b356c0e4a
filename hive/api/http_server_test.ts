import { assert, assertEquals } from "@std/assert";
import { type Handler, type HttpLimits, HttpServer } from "./http_server.ts";

const LOOPBACK = { hostname: "127.0.0.1", port: 0 } as const;
/** Longest wait of a test for what is to happen sooner, in milliseconds. */
const EVENTUALLY_MS = 30_000;

async function withServer(
  handler: Handler,
  test: (server: HttpServer) => Promise<void>,
  limits: HttpLimits = {},
): Promise<void> {
  const server = await HttpServer.listen(handler, { ...LOOPBACK, limits });
  try {
    await test(server);
  } finally {
    await server.stop();
  }
}

function connect({ port }: HttpServer): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** All that comes until the other side ends the connection. */
async function rest(connection: Deno.TcpConn): Promise<string> {
  const late = setTimeout(() => connection.close(), EVENTUALLY_MS);
  const buffer = new Uint8Array(4096);
  let text = "";
  try {
    for (let length = await connection.read(buffer); length !== null;) {
      text += new TextDecoder().decode(buffer.subarray(0, length));
      length = await connection.read(buffer);
    }
  } catch (error) {
    if (error instanceof Deno.errors.BadResource) throw new Error("Nobody ended it");
  }
  clearTimeout(late);
  return text;
}

async function say(connection: Deno.TcpConn, text: string): Promise<void> {
  await connection.write(new TextEncoder().encode(text));
}

Deno.test("HttpServer hands on method, address, headers, body and peer, and brings the answer", () =>
  withServer(async (request, { remoteAddr }) => {
    const { pathname, search, host } = new URL(request.url);
    const headers = new Headers({ "x-said": request.headers.get("x-asked") ?? "" });
    for (const name of ["a", "b"]) headers.append("set-cookie", `${name}=1`);
    const facts = [request.method, host, pathname, search, await request.text()];
    return Response.json([...facts, remoteAddr?.hostname], { status: 201, headers });
  }, async ({ port }) => {
    const response = await fetch(`http://localhost:${port}/a%20b?c=%22`, {
      method: "PATCH",
      headers: { "x-asked": "yes" },
      body: "x".repeat(100_000),
    });
    assertEquals([response.status, response.headers.get("x-said")], [201, "yes"]);
    assertEquals(response.headers.getSetCookie(), ["a=1", "b=1"]);
    const [method, host, path, search, body, peer] = await response.json();
    assertEquals([method, host, path, search], ["PATCH", `localhost:${port}`, "/a%20b", "?c=%22"]);
    assertEquals([body.length, /127\.0\.0\.1$/.test(peer)], [100_000, true]);
  }));

Deno.test("HttpServer answers HEAD without a body, and streams a long answer whole", () =>
  withServer(() => new Response(new Blob(["é".repeat(1_000_000)])), async ({ port }) => {
    const head = await fetch(`http://127.0.0.1:${port}/`, { method: "HEAD" });
    assertEquals([head.status, await head.text()], [200, ""]);
    const whole = await fetch(`http://127.0.0.1:${port}/`);
    assertEquals((await whole.text()).length, 1_000_000);
  }));

/** Asks on a connection that is kept open, and reads a part of the answer. */
async function ask(connection: Deno.TcpConn, path = "/"): Promise<string> {
  await say(connection, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  const buffer = new Uint8Array(4096);
  return new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
}

/** Who asks for `/in/NAME` is known by then; any other path is nobody's. */
const signsIn: Handler = (request, { askedBy }) => {
  askedBy?.(/^\/in\/(.+)$/.exec(new URL(request.url).pathname)?.[1]);
  return new Response("here");
};

Deno.test("HttpServer turns connections over its bound away at once, until others end", () =>
  withServer(signsIn, async (server) => {
    const held = [await connect(server), await connect(server)];
    for (const [i, one] of held.entries()) assert((await ask(one, `/in/${i}`)).includes("here"));
    using over = await connect(server);
    assertEquals(await rest(over), "");
    assertEquals(server.refused, 1);
    for (const one of held) one.close();
    const until = performance.now() + EVENTUALLY_MS;
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${server.port}/`).catch(() => undefined);
      if (await answer?.text() === "here") return;
      assert(performance.now() < until, "no place became free");
    }
  }, { connectionsMax: 2 }));

Deno.test("HttpServer lets others in while one account holds all its connections", () =>
  withServer(signsIn, async (server) => {
    const held: Deno.TcpConn[] = [];
    const hold = async (): Promise<void> => {
      for (let i = 0; i < 4; i++) {
        const one = await connect(server);
        held.push(one);
        assert((await ask(one, "/in/viewer")).includes("here"));
      }
    };
    await hold();
    using operator = await connect(server);
    // A stranger until it signs in, whom the account's next connections do not end either.
    assert((await ask(operator)).includes("here"));
    await hold();
    assert((await ask(operator, "/in/operator")).includes("here"));
    await hold();
    assert((await ask(operator, "/in/operator")).includes("here"));
    assertEquals([server.connections, server.refused], [4, 9]);
    for (const one of held) one.close();
  }, { connectionsMax: 4 }));

Deno.test("HttpServer takes a connection for a stranger's once its session has ended", () =>
  withServer(signsIn, async (server) => {
    using left = await connect(server);
    using stays = await connect(server);
    for (const path of ["/in/a", "/"]) assert((await ask(left, path)).includes("here"));
    assert((await ask(stays, "/in/b")).includes("here"));
    using next = await connect(server);
    assert((await ask(next)).includes("here"));
    assertEquals(await rest(left), "");
    assert((await ask(stays)).includes("here"));
  }, { connectionsMax: 2 }));

Deno.test("HttpServer ends no sign-in under way for those who come after it", async () => {
  const [come, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const signsInSlowly: Handler = async (request, peer) => {
    await request.text();
    if (!request.url.endsWith("/slow")) return await signsIn(request, peer);
    come.resolve();
    await go.promise;
    return new Response("done");
  };
  await withServer(signsInSlowly, async (server) => {
    using person = await connect(server);
    const answer = ask(person, "/slow");
    await come.promise;
    const others: Deno.TcpConn[] = [];
    for (let i = 0; i < 24; i++) {
      const other = await connect(server);
      others.push(other);
      // Silent, with half a request, or with an answer; at last all have that.
      if (i < 12 && i % 3 === 1) {
        await say(other, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1");
      }
      if (i >= 12 || i % 3 === 2) assert((await ask(other)).includes("here"));
    }
    assertEquals([server.connections, server.refused], [4, 21]);
    go.resolve();
    assert((await answer).includes("200 OK"));
    for (const other of others) other.close();
  }, { connectionsMax: 4 });
});

Deno.test("HttpServer lets an operator in while a stranger holds all its connections", () =>
  withServer(signsIn, async (server) => {
    const strangers: Deno.TcpConn[] = [];
    const hold = async (): Promise<void> => {
      for (let i = 0; i < 4; i++) {
        const stranger = await connect(server);
        strangers.push(stranger);
        // Silent, slow, or with an answer and no more to say.
        if (i % 3 === 1) await say(stranger, "GET / HTTP/1.1\r\nHost: x\r\nA: ");
        if (i % 3 === 2) await ask(stranger);
      }
    };
    await hold();
    using operator = await connect(server);
    assert((await ask(operator, "/in/operator")).includes("here"));
    await hold();
    assert((await ask(operator, "/in/operator")).includes("here"));
    assertEquals([server.connections, server.refused], [4, 5]);
    for (const one of strangers) one.close();
  }, { connectionsMax: 4 }));

const answersAtLength: Handler = (request) =>
  new Response(request.url.endsWith("/short") ? "here" : new Uint8Array(64 * 1024 * 1024));

Deno.test("HttpServer ends who is silent, slow with headers, or takes no answer", () =>
  withServer(answersAtLength, async (server) => {
    using silent = await connect(server);
    using slow = await connect(server);
    using deaf = await connect(server);
    await say(slow, "GET / HTTP/1.1\r\nHost: x\r\nA: ");
    // The limit holds for a connection's later requests too.
    assert((await ask(deaf, "/short")).includes("here"));
    await say(deaf, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const [one, two] = await Promise.all([rest(silent), rest(slow)]);
    for (const text of [one, two]) assert(text === "" || text.startsWith("HTTP/1.1 408"), text);
    const until = performance.now() + EVENTUALLY_MS;
    while (server.connections > 0) {
      assert(performance.now() < until, "who takes no answer is still there");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    // What was on its way is read at last, and then there is no more.
    assert((await rest(deaf)).length < 64 * 1024 * 1024);
  }, { headersTimeoutMs: 5000, idleTimeoutMs: 6000, timeoutCheckMs: 50 }));

Deno.test("HttpServer refuses what names another place, and no method that there is", () =>
  withServer((request) => new Response(new URL(request.url).host), async (server) => {
    for (
      const line of [
        "GET http://evil.example/ HTTP/1.1\r\nHost: x",
        "GET / HTTP/1.1\r\nHost: ada@x/y",
        "TRACE / HTTP/1.1\r\nHost: x",
        "OPTIONS * HTTP/1.1\r\nHost: x",
        "GET / HTTP/1.1\r\nHost: x\r\nhost: y",
        "GET / HTTP/1.1\r\nHost: [::1",
        "GET / HTTP/1.1\r\nHost: x\\y",
        "GET /a HTTP/1.1\r\nHost:",
      ]
    ) {
      using connection = await connect(server);
      await say(connection, `${line}\r\nConnection: close\r\n\r\n`);
      assertEquals([line, (await rest(connection)).slice(0, 12)], [line, "HTTP/1.1 400"]);
    }
  }));

Deno.test("HttpServer.stop() ends with connections open on which nothing is under way", async () => {
  const server = await HttpServer.listen(() => new Response("x"), LOOPBACK);
  using open = await connect(server);
  await say(open, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await open.read(new Uint8Array(4096));
  await server.stop();
  assertEquals(await rest(open), "");
});
