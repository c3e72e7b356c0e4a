import { startHive } from "../support/hive.ts";
import { type TestAgent, TestHive } from "../support/intake.ts";
import { type Attack, attackTable, told } from "./table.ts";

/** An agents' port with an agent, and an operators' port with its token. */
interface Target {
  readonly agents: TestHive;
  readonly agent: TestAgent;
  readonly console: string;
  readonly token: string;
}

async function onPorts(attack: (target: Target) => Promise<void>): Promise<void> {
  await using agents = await TestHive.start();
  await using running = await startHive();
  const token = (await Deno.readTextFile(`${running.state}/operator.token`)).trim();
  const agent = await agents.enrol();
  await attack({ agents, agent, console: running.hive.addresses.console, token });
}

/** Asks at the agents' port for an operators' route. */
async function atAgents(
  { agents, token }: Target,
  { agent, path }: { readonly agent?: TestAgent; readonly path: string },
): Promise<string> {
  using client = agents.client(agent);
  try {
    return await told(
      await fetch(`https://127.0.0.1:${agents.intake.port}${path}`, {
        client,
        headers: { authorization: `Bearer ${token}` },
      }),
    );
  } catch {
    return "no connection";
  }
}

const ROWS: readonly Attack<Target>[] = [
  {
    tries: "the operator token on the agents' port, without a certificate",
    refused: "no connection",
    attempt: (target) => atAgents(target, { path: "/api/v1/users" }),
  },
  {
    tries: "the operator token on the agents' port, with an agent's certificate",
    refused: "404 NOT_FOUND",
    attempt: (target) => atAgents(target, { agent: target.agent, path: "/api/v1/users" }),
  },
  {
    tries: "an agent's certificate on the operators' port, over TLS",
    refused: "no connection",
    attempt: async ({ agent, agents, console }) => {
      using client = agents.client(agent);
      return await fetch(`https://${console}/api/v1/status`, { client })
        .then(told, () => "no connection");
    },
  },
  {
    tries: "an agent's certificate on the operators' port, as a proxy would hand it on",
    refused: "401 AUTH_REQUIRED",
    attempt: async ({ agent, console }) => {
      const pem = agent.certificatePem.replaceAll(/-----[^-]+-----|\s/g, "");
      const headers = { "client-cert": `:${pem}:` };
      return await told(await fetch(`http://${console}/api/v1/status`, { headers }));
    },
  },
  {
    tries: "a batch on the operators' port",
    refused: "404 NOT_FOUND",
    attempt: async ({ console, token }) =>
      await told(
        await fetch(`http://${console}/v1/batches`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}` },
          body: new Uint8Array(64),
        }),
      ),
  },
  {
    tries: "100 connections that never finish their request keep others out",
    refused: "200 without a code",
    attempt: async ({ console, token }) => {
      const [hostname = "", port] = console.split(":");
      const slow = await Promise.all(
        Array.from({ length: 100 }, () => Deno.connect({ hostname, port: Number(port) })),
      );
      try {
        const part = new TextEncoder().encode("POST /login HTTP/1.1\r\nHost: x\r\nContent-Le");
        await Promise.all(slow.map((connection) => connection.write(part)));
        const headers = { authorization: `Bearer ${token}` };
        return await told(await fetch(`http://${console}/api/v1/status`, { headers }));
      } finally {
        for (const connection of slow) connection.close();
      }
    },
  },
];

attackTable({ subject: "the ports", against: onPorts }, ROWS);
