import { assertEquals } from "@std/assert";
import { FRAMES_TYPE } from "../../common/link/protocol.ts";
import { ROOT } from "../support/immune.ts";
import { type TestAgent, TestHive } from "../support/intake.ts";
import { OpenDownlink } from "../support/downlink.ts";
import { type Attack, attackTable, told } from "./table.ts";

/** A hive, and an agent that turned against it. */
interface Target {
  readonly hive: TestHive;
  readonly agent: TestAgent;
  readonly client: Deno.HttpClient;
}

function ask({ hive, client }: Target, path: string, init: RequestInit = {}): Promise<Response> {
  const url = new URL(path, hive.url);
  return fetch(url, { client, redirect: "manual", ...init });
}

const ROWS: readonly Attack<Target>[] = [
  {
    tries: "a downlink with a certificate that was revoked",
    refused: "403 CERTIFICATE_REFUSED",
    attempt: async (target) => {
      await target.hive.store.revokeAgent(target.agent.id);
      return await told(await ask(target, "/v1/downlink"));
    },
  },
  {
    tries: "a downlink from a number that is none",
    refused: "400 INPUT_MALFORMED",
    attempt: async (target) => await told(await ask(target, "/v1/downlink?directive=-1")),
  },
  {
    tries: "a downlink from beyond all numbers",
    refused: "400 INPUT_MALFORMED",
    attempt: async (target) => await told(await ask(target, `/v1/downlink?stop=${"9".repeat(16)}`)),
  },
  {
    tries: "an order sent up the downlink",
    refused: "404 NOT_FOUND",
    attempt: async (target) =>
      await told(await ask(target, "/v1/downlink", { method: "POST", body: "stop" })),
  },
  {
    tries: "another host's orders",
    refused: "only its own came",
    attempt: async ({ hive, agent }) => {
      const victim = await hive.enrol();
      await using downlink = await OpenDownlink.of(hive, agent);
      const order = { kind: "rules", body: { pack: null } } as const;
      await hive.commands.send(order, { by: "a test", host: victim.hostId });
      await hive.commands.send(order, { by: "a test", host: agent.hostId });
      const first = await downlink.named();
      return first === "directive 2" ? "only its own came" : `${first} came`;
    },
  },
  {
    tries: "a canary without a nonce, to keep for later",
    refused: "400 INPUT_MALFORMED",
    attempt: async (target) => await told(await ask(target, "/canary")),
  },
  {
    tries: "a storm of canaries",
    refused: "429 RATE_LIMITED",
    attempt: async (target) => {
      await target.hive.commands.start();
      const path = `/canary?nonce=${"5".repeat(32)}`;
      // At once: whichever comes second is a storm.
      const answers = await Promise.all([1, 2].map(async () => told(await ask(target, path))));
      return answers.find((answer) => answer.startsWith("429")) ?? answers.join();
    },
  },
  {
    tries: "the hive's key under the name of a pack",
    refused: "404 NOT_FOUND",
    attempt: async (target) => await told(await ask(target, "/v1/packs/..%2F..%2Fserver.key")),
  },
  {
    tries: "a pack that is not there",
    refused: "404 NOT_FOUND",
    attempt: async (target) => await told(await ask(target, `/v1/packs/${"a".repeat(64)}`)),
  },
  {
    tries: "a report that is none",
    refused: "400 INPUT_MALFORMED",
    attempt: async (target) =>
      await told(await ask(target, "/v1/results", { method: "POST", body: '{"results":[{}]}' })),
  },
  {
    tries: "a report of a megabyte",
    refused: "400 INPUT_MALFORMED",
    attempt: async (target) => {
      const body = "x".repeat(400_000);
      return await told(await ask(target, "/v1/results", { method: "POST", body }));
    },
  },
  {
    tries: "a third downlink, to hold the hive's memory",
    refused: "the oldest was ended",
    attempt: async ({ hive, agent }) => {
      await using first = await OpenDownlink.of(hive, agent);
      await using _second = await OpenDownlink.of(hive, agent);
      await using _third = await OpenDownlink.of(hive, agent);
      return await first.next() === undefined ? "the oldest was ended" : "all stayed";
    },
  },
  {
    tries: "a downlink that nobody reads, while orders come",
    refused: "it was ended, others got theirs",
    attempt: async ({ hive, agent, ...target }) => {
      const slow = await ask({ hive, agent, ...target }, "/v1/downlink");
      assertEquals(slow.headers.get("Content-Type"), FRAMES_TYPE);
      const good = await hive.enrol();
      await using downlink = await OpenDownlink.of(hive, good);
      const watch = Array.from({ length: 28 }, (_, i) => `/${i}${"w".repeat(1000)}`);
      const body = { open: null, wakeIntervalUs: null, watch };
      const orders = 400;
      let last: string | undefined;
      for (let i = 0; i < orders; i++) {
        await hive.commands.send({ kind: "policy", body }, { by: "a test" });
        last = await downlink.named();
      }
      const { slow: ended } = await hive.counters();
      await slow.body?.cancel();
      const others = last === `directive ${orders}` ? "others got theirs" : "others waited";
      return `${ended === 1 ? "it was ended" : "it was kept"}, ${others}`;
    },
  },
  {
    tries: "an operator's token in the place of a certificate",
    refused: "no connection",
    attempt: async ({ hive }) => {
      using client = Deno.createHttpClient({ caCerts: [hive.server.certificatePem] });
      const headers = { authorization: "Bearer operator" };
      try {
        return await told(await fetch(new URL("/v1/downlink", hive.url), { client, headers }));
      } catch {
        return "no connection";
      }
    },
  },
];

attackTable<Target>({
  subject: "the downlink",
  against: async (attack) => {
    await using hive = await TestHive.start();
    const agent = await hive.enrol();
    using client = hive.client(agent);
    await attack({ hive, agent, client });
  },
}, ROWS);

Deno.test("attack on the directive key: it is in its one file and in no thread but the signer's", async () => {
  // What reads the key's file is one module, and what imports that is the signer's Worker.
  const importers: string[] = [];
  for (const entry of Deno.readDirSync(`${ROOT}hive/command`)) {
    if (!/^(?!.*_test).*\.ts$/.test(entry.name)) continue;
    const text = await Deno.readTextFile(`${ROOT}hive/command/${entry.name}`);
    if (/import \{[^}]*DirectiveKeyFile[^}]*\} from/.test(text)) importers.push(entry.name);
  }
  assertEquals(importers, ["signer_worker.ts"]);
});
