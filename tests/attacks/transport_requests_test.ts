import { batchOf } from "../support/intake.ts";
import { BATCH_BYTES_MAX } from "../../common/wire/mod.ts";
import type { Attack } from "./table.ts";
import { counted, post, type Scene, toldOrCut, transportTable } from "./_transport.ts";

const UTF8 = new TextEncoder();

/** Writes to an open connection and reads until it ends. */
async function raw(
  { hive, agent }: Scene,
  pieces: readonly (string | Uint8Array)[],
): Promise<string> {
  using connection = await hive.connect(agent);
  try {
    for (const piece of pieces) {
      await connection.write(typeof piece === "string" ? UTF8.encode(piece) : piece);
    }
    const buffer = new Uint8Array(4096);
    for (let length = await connection.read(buffer); length !== null;) {
      length = await connection.read(buffer);
    }
  } catch {
    // Cut off in the middle of it.
  }
  return await counted(hive);
}

const REQUESTS: readonly Attack<Scene>[] = [
  {
    tries: "a batch in another host's name",
    refused: "403 AGENT_MISMATCH",
    attempt: (scene) => post(scene, scene.agent, { body: batchOf({ hostId: scene.other.hostId }) }),
  },
  {
    tries: "an operator's token instead of a certificate",
    refused: "no answer, no_certificate",
    attempt: async ({ hive }) => {
      using client = hive.client();
      const headers = { authorization: `Bearer ${"A".repeat(43)}` };
      return await toldOrCut(hive, () => fetch(hive.url, { method: "POST", headers, client }));
    },
  },
  ...["/api/v1/status", "/v1/../../etc/passwd", "/v1/batches/..%2f..%2fca.key", "/%00"].map((
    path,
  ): Attack<Scene> => ({
    tries: `the path ${path}`,
    refused: "404 NOT_FOUND",
    attempt: async ({ hive, agent }) => {
      using connection = await hive.connect(agent);
      const request = `GET ${path} HTTP/1.1\r\nHost: hive\r\nConnection: close\r\n\r\n`;
      await connection.write(UTF8.encode(request));
      const answer = await new Response(connection.readable).text().catch(String);
      const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
      return `${status} ${/"code":"(\w+)"/.exec(answer)?.[1]}`;
    },
  })),
  {
    tries: "a body over the bound",
    refused: "413 BATCH_TOO_LARGE",
    attempt: (scene) => post(scene, scene.agent, { body: new Uint8Array(BATCH_BYTES_MAX + 1) }),
  },
  {
    tries: "a body that never comes",
    refused: "no answer, request",
    attempt: (scene) =>
      raw(scene, ["POST /v1/batches HTTP/1.1\r\nHost: hive\r\nContent-Length: 99\r\n\r\n"]),
  },
  {
    tries: "headers that never end",
    refused: "no answer, request",
    attempt: (scene) => raw(scene, ["POST /v1/batches HTTP/1.1\r\nHost: hive\r\nA: "]),
  },
  {
    tries: "headers over the bound",
    refused: "no answer, request",
    attempt: (scene) =>
      raw(scene, [`POST /v1/batches HTTP/1.1\r\nHost: hive\r\nA: ${"a".repeat(70_000)}\r\n\r\n`]),
  },
  {
    tries: "a second request before the first is answered",
    refused: "no answer, request",
    attempt: (scene) => {
      const head = "POST /v1/batches HTTP/1.1\r\nHost: hive\r\nContent-Length: 2\r\n\r\nab";
      return raw(scene, [head + head]);
    },
  },
  {
    tries: "two lengths of one body",
    refused: "no answer, request",
    attempt: (scene) =>
      raw(scene, [
        "POST /v1/batches HTTP/1.1\r\nHost: hive\r\nContent-Length: 2\r\n" +
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ]),
  },
];

transportTable("requests", REQUESTS, { requestTimeoutMs: 8000 });
