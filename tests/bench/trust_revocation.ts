import { createHash } from "node:crypto";
import { ROUTES } from "../../common/link/protocol.ts";
import { REVOKED_AT_ONCE_MAX } from "../../hive/api/bounds.ts";
import { REVOCATION_CHECK_MS } from "../../hive/intake/mod.ts";
import { type TestAgent, TestHive } from "../support/intake.ts";
import type { BenchResult } from "./result.ts";

const SEED = 32;
const AGENTS = 1000;
/** Handshakes under way at a time. */
const AT_ONCE = 16;

/**
 * Measures a revocation: 1,000 agents, each with a key and a TLS connection of its own, are
 * connected; all are revoked; it ends when the last of them has seen its connection end.
 *
 * @returns Figures.
 */
export async function run(): Promise<BenchResult> {
  await using hive = await TestHive.start();
  const agents: TestAgent[] = [];
  for (let i = 0; i < AGENTS; i++) {
    agents.push(await hive.enrol(i.toString(16).padStart(64, "0")));
  }
  const connections: Deno.TlsConn[] = [];
  for (let i = 0; i < AGENTS; i += AT_ONCE) {
    const some = agents.slice(i, i + AT_ONCE).map((agent) => connected(hive, agent));
    connections.push(...await Promise.all(some));
  }
  const open = (await hive.counters()).connections;
  if (open !== AGENTS) throw new Error(`${open} of ${AGENTS} agents are connected`);
  const ended = connections.map((connection) => untilEnd(connection));
  const start = performance.now();
  for (let i = 0; i < AGENTS; i += REVOKED_AT_ONCE_MAX) {
    const some = agents.slice(i, i + REVOKED_AT_ONCE_MAX);
    await hive.store.revokeAgents(some.map(({ id }) => id));
  }
  const revoked = performance.now();
  await Promise.all(ended);
  const end = performance.now();
  const { refused, connections: left } = await hive.counters();
  if (refused.revoked !== AGENTS || left !== 0) throw new Error(`${left} connections are left`);
  return {
    workload: `${AGENTS} agents with keys and connections of their own, all revoked, until the ` +
      `last connection has ended; open ones are looked up every ${REVOCATION_CHECK_MS} ms`,
    seed: SEED,
    checksum: createHash("sha256").update(`${refused.revoked}`).digest("hex").slice(0, 8),
    figures: [
      { figure: "revocation_1000_agents_s", value: (end - start) / 1000, unit: "s" },
      { figure: "revocation_1000_rows_s", value: (revoked - start) / 1000, unit: "s" },
    ],
  };
}

/** A connection that has served its agent, as those of agents have. */
async function connected(hive: TestHive, agent: TestAgent): Promise<Deno.TlsConn> {
  const connection = await hive.connect(agent);
  const request = `GET ${ROUTES.pins} HTTP/1.1\r\nHost: hive\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  const buffer = new Uint8Array(8192);
  const decoder = new TextDecoder();
  for (let answer = ""; !answer.endsWith("}");) {
    const length = await connection.read(buffer);
    if (length === null) throw new Error("A connection ended before it was revoked");
    answer += decoder.decode(buffer.subarray(0, length));
  }
  return connection;
}

async function untilEnd(connection: Deno.TlsConn): Promise<void> {
  const buffer = new Uint8Array(16);
  try {
    while (await connection.read(buffer) !== null);
  } catch {
    // Reset: it has ended too.
  }
  connection.close();
}
