import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { IndicatorStore, readIndicators } from "../../common/indicators/mod.ts";
import type { Alert, AlertEnrichment } from "../../common/wire/mod.ts";
import { canLoadSensor } from "../support/host.ts";
import { immune, runImmune } from "../support/immune.ts";
import { Lines, START_WAIT_MS } from "../support/lines.ts";

const ignore = !canLoadSensor();
const MD5 = "9e107d9d372bb6826bd81d3542a419d6";

/** A folder with a state folder in it. */
async function inFolder(
  test: (paths: { readonly folder: string; readonly state: string }) => Promise<void>,
): Promise<void> {
  const folder = Deno.realPathSync(await Deno.makeTempDir({ prefix: "immune-indicators-" }));
  try {
    await test({ folder, state: `${folder}/state` });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function importFeed(
  content: string,
  { folder, state, more = [] }: {
    readonly folder: string;
    readonly state: string;
    readonly more?: readonly string[];
  },
): Promise<void> {
  await Deno.writeTextFile(`${folder}/feed.csv`, content);
  const args = ["indicators", "import", `${folder}/feed.csv`, "--state", state, ...more];
  const { code, stderr } = await runImmune(args);
  assertEquals(code, 0, stderr);
}

async function list(state: string): Promise<Record<string, unknown>[]> {
  const { stdout } = await runImmune(["indicators", "list", "--json", "--state", state]);
  return stdout.trim() === "" ? [] : stdout.trim().split("\n").map((line) => JSON.parse(line));
}

async function run(command: string, ...args: string[]): Promise<void> {
  await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output();
}

/** Asks for a connection on loopback; nobody listens there, which does not matter. */
async function connect(host: string): Promise<void> {
  await run("bash", "-c", `exec 3<>/dev/tcp/${host}/9`);
}

/** Asks a DNS server on loopback for a domain; nobody listens there, which does not matter. */
async function ask(domain: string): Promise<void> {
  const labels = domain.split(".").map((label) => `\\x${hex(label.length)}${label}`).join("");
  const question = "\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00";
  const message = `${question}${labels}\\x00\\x00\\x01\\x00\\x01`;
  await run("bash", "-c", `exec 3<>/dev/udp/127.0.0.1/53; printf '${message}' >&3`);
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** `immune watch` under test, with all alerts that it raised. */
class Watched {
  readonly child: Deno.ChildProcess;
  readonly messages: Lines;
  readonly raised: Alert[] = [];
  readonly #alerts: Lines;

  constructor(args: readonly string[]) {
    this.child = immune(["watch", "--json", ...args]).spawn();
    this.messages = new Lines(this.child.stderr);
    this.#alerts = new Lines(this.child.stdout);
  }

  /** The next alert of an indicator whose value a field has. */
  async next(id: string, field: string): Promise<Alert> {
    await this.#alerts.find((line) => {
      const alert: Alert = JSON.parse(line);
      this.raised.push(alert);
      return alert.rule.id === id && matchedOf(alert)?.field === field;
    });
    const alert = this.raised.at(-1);
    assert(alert !== undefined);
    return alert;
  }

  async stop(): Promise<void> {
    this.child.kill("SIGINT");
    await this.messages.find((line) => line.startsWith("Stopped:"));
    await Promise.all([this.#alerts.drain(), this.messages.drain(), this.child.status]);
  }
}

function matchedOf(alert: Alert): AlertEnrichment["matched"] | undefined {
  return alert.threat?.enrichments[0]?.matched;
}

Deno.test({
  name: "sensor: a listed path that is run or opened, and a listed address, raise alerts; " +
    "what looks like them does not",
  ignore,
  fn: () =>
    inFolder(async ({ folder, state }) => {
      const copy = async (name: string): Promise<string> => {
        await Deno.copyFile("/bin/true", `${folder}/${name}`);
        await Deno.chmod(`${folder}/${name}`, 0o755);
        return `${folder}/${name}`;
      };
      const [listed, alike] = [await copy("miner"), await copy("miner2")];
      const [script, loot] = [`${folder}/run.sh`, `${folder}/loot`];
      await Deno.writeTextFile(script, "#!/bin/sh\n:\n", { mode: 0o755 });
      await Deno.writeTextFile(loot, "x");
      await Deno.mkdir(`${folder}/rules`);
      await importFeed(
        "type,value,id,title\n" +
          `path,${listed},m-1,Known miner\npath,${script},m-2,\npath,${loot},m-3,\n` +
          `ip,127.77.1.2,c-1,C2\nip,127.77.8.0/24,c-2,\nmd5,${MD5},h-1,\n` +
          "domain,*.evil.example,d-1,\n",
        { folder, state, more: ["--source", "our-feed"] },
      );
      const watched = new Watched(["--state", state, "--rules", `${folder}/rules`]);
      try {
        assertStringIncludes(
          await watched.messages.find((line) => line.startsWith("Watching"), {
            waitMs: START_WAIT_MS,
          }),
          "0 rules and 7 indicators",
        );
        await run(alike);
        await run("cat", alike);
        await run(listed, "--pool", "x");
        const ran = await watched.next("m-1", "process.executable");
        assertEquals([ran.severity, ran.rule.title, ran.rule.description], [
          "high",
          `Listed path: ${listed} (our-feed)`,
          "Known miner",
        ]);
        assertEquals(ran.process?.executable, listed);
        assertStringIncludes(ran.process?.command_line ?? "", "--pool x");
        assertEquals(ran.threat?.enrichments[0]?.indicator.provider, "our-feed");
        await run(script);
        await watched.next("m-2", "process.exec_file");
        await run("cat", loot);
        assertEquals((await watched.next("m-3", "file.path")).file?.path, loot);
        // The same file by another name, in a folder that nobody watches.
        await Deno.link(loot, `${folder}/rules/innocent`);
        await run("cat", `${folder}/rules/innocent`);
        const other = (await watched.next("m-3", "file.path")).file;
        assertEquals([other?.path, other?.opened_as], [loot, `${folder}/rules/innocent`]);
        await connect("127.77.1.3");
        await connect("127.77.1.2");
        const met = await watched.next("c-1", "destination.ip");
        assertEquals(met.destination, { ip: "127.77.1.2", port: 9 });
        await connect("127.77.9.1");
        await connect("127.77.8.200");
        const [within] = (await watched.next("c-2", "destination.ip")).threat?.enrichments ?? [];
        assertEquals([within?.indicator.name, within?.matched.atomic], [
          "127.77.8.0/24",
          "127.77.8.200",
        ]);
        await ask("evil.example");
        await ask("c2.evil.example");
        const asked = await watched.next("d-1", "dns.question.name");
        assertEquals(matchedOf(asked)?.atomic, "c2.evil.example");
        const found = new Set(watched.raised.flatMap((alert) => matchedOf(alert)?.atomic ?? []));
        assertEquals(
          found,
          new Set([listed, script, loot, "127.77.1.2", "127.77.8.200", "c2.evil.example"]),
        );
        await takesOver(watched, { folder, state, alike });
      } finally {
        await watched.stop();
      }
      const seen = new Map((await list(state)).map(({ id, seen }) => [id, Number(seen)]));
      assertEquals(seen.get("c-1"), 1);
      assert((seen.get("m-9") ?? 0) >= 2);
    }),
});

/** On SIGHUP what was imported comes into force, and what was taken out leaves it. */
async function takesOver(
  watched: Watched,
  { folder, state, alike }: {
    readonly folder: string;
    readonly state: string;
    readonly alike: string;
  },
): Promise<void> {
  const { child, messages } = watched;
  await importFeed(`type,value,id\npath,${alike},m-9\n`, {
    folder,
    state,
    more: ["--source", "s"],
  });
  const expire = ["indicators", "expire", "--source", "our-feed", "--id", "m-1", "--state", state];
  assertEquals((await runImmune(expire)).code, 0);
  child.kill("SIGHUP");
  const line = await messages.find((text) => text.includes("rules in force"));
  assertStringIncludes(line, "and 7 indicators");
  const before = watched.raised.length;
  await run(`${folder}/miner`);
  await run(alike);
  await watched.next("m-9", "process.executable");
  const matched = watched.raised.slice(before).filter((alert) => matchedOf(alert) !== undefined);
  assert(matched.every(({ rule }) => rule.id === "m-9"));
  // A set that cannot be read leaves those in force that are.
  const set = await Deno.readFile(`${state}/agent/indicators/set`);
  await Deno.writeFile(`${state}/agent/indicators/set`, set.subarray(0, -1));
  child.kill("SIGHUP");
  await messages.find((text) => text.includes("the indicators in force stay"));
  await messages.find((text) => text.includes("rules in force"));
  await run(alike);
  await watched.next("m-9", "process.executable");
  await Deno.writeFile(`${state}/agent/indicators/set`, set);
}

const EVENTS: readonly [object, string | undefined][] = [
  [{ Image: "/tmp/.x/miner", CommandLine: "x" }, "path"],
  [{ Image: "/opt/.x/miner" }, undefined],
  [{ TargetFilename: "/tmp/.x/miner" }, "path"],
  [{ DestinationIp: "198.51.100.77" }, "ipv4"],
  [{ DestinationIp: "198.51.101.77" }, undefined],
  [{ DestinationHostname: "C2.Evil.Example." }, "domain"],
  [{ QueryName: "evil.example" }, undefined],
  [{ Hashes: `MD5=${MD5.toUpperCase()},IMPHASH=00000000000000000000000000000000` }, "md5"],
  [{ Hashes: `MD5=${MD5.replace("9", "8")}` }, undefined],
  [{ process: { executable: "/tmp/.x/miner" }, "@timestamp": "2026-01-01T00:00:00Z" }, "path"],
  [{ destination: { ip: "198.51.100.78", domain: "x.example" } }, "ipv4"],
  [{ file: { hash: { md5: MD5 } } }, "md5"],
  [{ dns: { question: { name: "a.b.evil.example" } } }, "domain"],
  [{ url: { full: "http://host.example/drop.sh#x" } }, "url"],
];

Deno.test("replay looks for indicators in flat events and in ECS form", () =>
  inFolder(async ({ folder, state }) => {
    await importFeed(
      `/tmp/.x/miner\n198.51.100.0/24\n*.evil.example\n${MD5}\nhttp://host.example/drop.sh\n`,
      { folder, state },
    );
    await Deno.mkdir(`${folder}/rules`);
    const lines = EVENTS.map(([event]) => JSON.stringify(event)).join("\n");
    await Deno.writeTextFile(`${folder}/events`, lines);
    const args = ["replay", `${folder}/events`, "--state", state, "--rules", `${folder}/rules`];
    const { code, stdout, stderr } = await runImmune([...args, "--json"]);
    assertEquals(code, 0, stderr);
    const found = new Map<number, string>(
      stdout.trim().split("\n").map((line) => JSON.parse(line)).map((match) => [
        match.line,
        match.rule.title,
      ]),
    );
    EVENTS.forEach(([event, type], i) => {
      const title = found.get(i + 1);
      assertEquals(title?.split(":")[0], type && `Listed ${type}`, JSON.stringify(event));
    });
    assertStringIncludes((await runImmune(args)).stdout, `${found.size} matches`);
  }));

Deno.test("indicators import, list and expire work together, and say what they did", () =>
  inFolder(async ({ folder, state }) => {
    const missing = await runImmune(["indicators", "list", "--state", state]);
    assertEquals([missing.code, missing.stdout], [0, ""]);
    assertStringIncludes(missing.stderr, "No indicator was ever listed");
    await Deno.writeTextFile(`${folder}/a.csv`, "192.0.2.1\nnonsense value\n192.0.2.2\n");
    await Deno.writeTextFile(
      `${folder}/b.json`,
      '{"type":"bundle","objects":[{"type":"indicator",' +
        '"id":"indicator--1","pattern":"[file:name = \'m\']","valid_until":"2099-01-01T00:00:00Z"}]}',
    );
    await Deno.writeTextFile(`${folder}/c.json`, "{");
    const files = ["a.csv", "b.json", "c.json"].map((name) => `${folder}/${name}`);
    const import_ = [
      "indicators",
      "import",
      ...files,
      "--state",
      state,
      "--json",
      "--expires",
      "1d",
    ];
    const { code, stdout, stderr } = await runImmune(import_);
    assertEquals(code, 1);
    const [csv, stix] = stdout.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals([csv.added, csv.problems, csv.format], [2, 1, "csv"]);
    assertEquals([stix.added, stix.problems, stix.format], [1, 0, "stix"]);
    assertStringIncludes(stderr, "a.csv: line 2: Cannot list");
    assertStringIncludes(stderr, "c.json: Cannot read the feed: it is no JSON [INPUT_MALFORMED]");
    const all = await list(state);
    assertEquals(all.map(({ type, source, in_force }) => [type, source, in_force]), [
      ["name", "b", true],
      ["ipv4", "a", true],
      ["ipv4", "a", true],
    ]);
    const stats = await runImmune(["indicators", "list", "--stats", "--json", "--state", state]);
    const { sources, filter } = JSON.parse(stats.stdout);
    assertEquals(sources, { a: 2, b: 1 });
    assert(filter.estimatedRate < 0.001 && filter.bits >= 512);
    const expire = async (...more: string[]): Promise<unknown> =>
      JSON.parse(
        (await runImmune(["indicators", "expire", "--json", "--state", state, ...more])).stdout,
      );
    assertEquals(await expire(), { gone: 0, left: 3 });
    assertEquals(await expire("--older", "1h"), { gone: 0, left: 3 });
    assertEquals(await expire("--source", "b", "--id", "other"), { gone: 0, left: 3 });
    assertEquals(await expire("--source", "b", "--id", "indicator--1"), { gone: 1, left: 2 });
    assertEquals(await expire("--source", "a"), { gone: 2, left: 0 });
    assertEquals(await list(state), []);
  }));

Deno.test("indicators import is used wrongly in one line and exit code 2", async () => {
  const wrong = [["--format", "xml"], ["--expires", "soon"], ["--severity", "bad"]];
  for (const more of wrong) {
    const { code, stderr } = await runImmune(["indicators", "import", "x", ...more]);
    assertEquals(code, 2);
    assert(/Give one of|Give a number/.test(stderr), stderr);
  }
  const { code, stderr } = await runImmune(["indicators", "expire", "--id", "1"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "--source NAME");
});

Deno.test("indicators import that is killed while it writes leaves the set before or after", () =>
  inFolder(async ({ folder, state }) => {
    await importFeed("192.0.2.1\n", { folder, state });
    const indicators = `${state}/agent/indicators`;
    const rows = Array.from({ length: 20_000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
    await Deno.writeTextFile(`${folder}/large.csv`, rows.join("\n"));
    const before = await Deno.readFile(`${indicators}/set`);
    for (let round = 0; round < 3; round++) {
      await Deno.writeFile(`${indicators}/set`, before);
      const args = ["indicators", "import", `${folder}/large.csv`, "--state", state];
      const names = Deno.watchFs(indicators);
      const child = immune(args).spawn();
      for await (const { paths } of names) {
        if (paths.some((path) => path.endsWith("/set.new"))) break;
      }
      try {
        child.kill("SIGKILL");
      } catch (error) {
        // It has ended already, which its status tells.
        if (!(error instanceof TypeError)) throw error;
      }
      await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
      const { signal } = await child.status;
      const size = readIndicators(indicators)?.size;
      assert(size === 1 || size === 20_001, `${size}`);
      assert(signal === "SIGKILL" || size === 20_001);
    }
    using store = IndicatorStore.open(indicators);
    assert(store.set.size > 0);
  }));
