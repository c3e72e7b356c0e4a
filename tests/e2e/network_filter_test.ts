import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type ListedAddresses,
  listedRows,
  type Policy,
  tryCapabilities,
} from "../../agent/sensors/mod.ts";
import { addressText, type KindName, type RecordView } from "../../common/record/mod.ts";
import { type Network, parseCidr } from "../../common/sigma/cidr.ts";
import { needOf } from "../support/network_need.ts";
import { compileRules, type Interest } from "../../common/sigma/mod.ts";
import { holdsNetwork } from "../../common/sigma/network_values.ts";
import { kindCounts } from "../support/opens.ts";
import { olderTypes } from "../support/host.ts";
import { inFolder, present, Probe, run, sensorTest } from "../support/probe.ts";
import { Random } from "../support/random.ts";

const CONTACTS = new URL("../support/contacts.pl", import.meta.url).pathname;
/** Ports that nobody else on this host uses meanwhile, it is hoped; records are told by process. */
const [NAMED, OTHER] = [23_457, 23_458];
/** One that nobody is given who chose none. */
const CHOSEN = 23_459;
const LIMIT = 200;
const TIMES = 4000;
/** Policies that the kernel and the oracle are compared by. */
const ROUNDS = 12;

/** What rules with these selections want. */
function interestOf(
  ...rules: readonly (readonly [category: string, selection: string])[]
): Interest {
  const set = compileRules(rules.map(([category, selection], i) => ({
    path: `${i}.yml`,
    text: `title: T\nid: r${i}\nlogsource: { category: ${category}, product: linux }\n` +
      `detection: { s: ${selection}, condition: s }\n`,
  })));
  assertEquals(set.rejected, []);
  return set.interest;
}

function networkAt(text: string): Network {
  const network = parseCidr(text);
  if (typeof network === "string") throw new Error(network);
  return network;
}

/** A policy that sends what these rules, and who lists these addresses, could need. */
function needing(
  { network: { filter } }: Pick<Interest, "network">,
  listed: readonly string[] = [],
): Pick<Policy, "network"> {
  const networks = listed.map(networkAt);
  const isAlone = ({ address, prefix }: (typeof networks)[number]) => prefix === address.length * 8;
  const all: ListedAddresses = {
    rows: listedRows(networks.filter(isAlone).map(({ address }) => address)),
    networks: networks.filter((network) => !isAlone(network)),
    any: false,
  };
  return { network: { filter, filters: true, listed: all } };
}

/** Where records of a process say that it went, in their order. */
function ends(probe: Probe, pid: number, kind: "connect" | "bind" = "connect"): readonly string[] {
  return ofKind(probe, pid, kind).map((record) => {
    const family = record.number(kind, "family");
    return `${addressText(record.address(kind, "address"), family)} ${record.number(kind, "port")}`;
  });
}

/** The end that a record has of one that was asked for. */
function toldAs(end: string): string {
  return end.replace("::ffff:", "").replace(/^0\.0\.0\.0 /, "127.0.0.1 ").replace(/^:: /, "::1 ");
}

function ofKind(probe: Probe, pid: number, kind: KindName): readonly RecordView[] {
  return probe.records.filter((record) => record.pid === pid && record.kind === kind);
}

/** Nothing is seen any more, so that what is read one after the other adds up. */
function assertAddsUp(probe: Probe, kind: KindName): void {
  probe.set({});
  const { seen, submitted, filtered, folded, lost } = kindCounts(probe, kind);
  assertEquals(seen, submitted + filtered + folded + lost, kind);
}

sensorTest(
  "connects that a rule or an indicator could need are sent, the rest is counted",
  async () => {
    const interest = interestOf(
      ["network_connection", `{ DestinationPort: ${NAMED} }`],
      ["network_connection", "{ DestinationIp|cidr: 127.5.0.0/16 }"],
    );
    using probe = new Probe({
      kinds: ["connect"],
      ...needing(interest, ["127.7.7.7", "127.9.0.0/16", "::1"]),
    });
    const cases: readonly (readonly [end: string, isSent: boolean])[] = [
      [`127.0.0.1 ${NAMED}`, true],
      [`127.0.0.1 ${OTHER}`, false],
      [`127.5.255.1 ${OTHER}`, true],
      [`127.6.0.1 ${OTHER}`, false],
      [`127.7.7.7 ${OTHER}`, true],
      [`127.7.7.8 ${OTHER}`, false],
      [`127.9.1.1 ${OTHER}`, true],
      [`127.10.0.1 ${OTHER}`, false],
      [`::1 ${OTHER}`, true],
      [`::ffff:127.5.0.9 ${OTHER}`, true],
      [`::ffff:127.6.0.9 ${OTHER}`, false],
      // All zeros lead to the loopback, and are told as what they lead to.
      [`0.0.0.0 ${NAMED}`, true],
      [`0.0.0.0 ${OTHER}`, false],
      [`:: ${OTHER}`, true],
      [`::ffff:0.0.0.0 ${NAMED}`, true],
    ];
    const before = kindCounts(probe, "connect");
    const { pid } = await run("perl", [
      CONTACTS,
      "to",
      "1",
      ...cases.flatMap(([end]) => end.split(" ")),
    ]);
    probe.drain();
    assertEquals(
      ends(probe, pid),
      cases.filter(([, isSent]) => isSent).map(([end]) => toldAs(end)),
    );
    const left = cases.filter(([, isSent]) => !isSent).length;
    assert(kindCounts(probe, "connect").filtered - before.filtered >= left);
    assertAddsUp(probe, "connect");
    // Without the filter all of them come.
    probe.set({ kinds: ["connect"] });
    const all = await run("perl", [CONTACTS, "to", "1", "127.6.0.1", `${OTHER}`]);
    probe.drain();
    assertEquals(ends(probe, all.pid), [`127.6.0.1 ${OTHER}`]);
  },
);

sensorTest(
  "datagrams without a connect are filtered as connects; of answers only who is named is told",
  async () => {
    using probe = new Probe({
      kinds: ["connect"],
      ...needing(interestOf(["network_connection", `{ DestinationPort: ${NAMED} }`]), [
        "127.7.7.7",
      ]),
    });
    const cases: readonly (readonly [end: string, isSent: boolean])[] = [
      [`127.0.0.1 ${NAMED}`, true],
      [`127.0.0.1 ${OTHER}`, false],
      [`127.7.7.7 ${OTHER}`, true],
      [`::ffff:127.7.7.7 ${OTHER}`, true],
      [`0.0.0.0 ${NAMED}`, true],
      [`:: ${NAMED}`, true],
      [`::ffff:0.0.0.0 ${NAMED}`, true],
    ];
    const wanted = cases.filter(([, isSent]) => isSent).map(([end]) => toldAs(end));
    for (const port of ["0", `${CHOSEN}`]) {
      const { pid } = await run("perl", [
        CONTACTS,
        "send",
        port,
        ...cases.flatMap(([end]) => end.split(" ")),
      ]);
      probe.drain();
      assertEquals(ends(probe, pid), wanted);
    }
    assertAddsUp(probe, "connect");
    // So it is where nothing else is filtered.
    const network = present(needing(interestOf(), ["127.7.7.7"]).network);
    probe.set({ kinds: ["connect"], network: { ...network, filters: false } });
    for (const [port, told] of [["0", ["127.6.0.1", "127.7.7.7"]], [`${CHOSEN}`, ["127.7.7.7"]]]) {
      const to = ["127.6.0.1", `${OTHER}`, "127.7.7.7", `${OTHER}`];
      const { pid } = await run("perl", [CONTACTS, "send", `${port}`, ...to]);
      probe.drain();
      assertEquals(ends(probe, pid), [...told ?? []].map((end) => `${end} ${OTHER}`));
    }
    // Without a filter an answer is told to nobody.
    probe.set({ kinds: ["connect"] });
    for (const [port, told] of [["0", [`127.6.0.1 ${OTHER}`]], [`${CHOSEN}`, []]] as const) {
      const { pid } = await run("perl", [CONTACTS, "send", port, "127.6.0.1", `${OTHER}`]);
      probe.drain();
      assertEquals(ends(probe, pid), told);
    }
  },
);

sensorTest(
  "a receiver that is listed after the first datagram to it is told by the next one",
  async () => {
    const rule = interestOf(["network_connection", `{ DestinationPort: ${NAMED} }`]);
    const to = `127.7.7.7 ${OTHER}`;
    const child = new Deno.Command("perl", {
      args: [CONTACTS, "resend", ...to.split(" ")],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const [into, out] = [child.stdin.getWriter(), child.stdout.getReader()];
    using probe = new Probe({ kinds: ["connect"], ...needing(rule) });
    /** How many records there are after so many more datagrams. */
    const told = async (datagrams = 2): Promise<number> => {
      for (let i = 0; i < datagrams; i++) {
        await into.write(Uint8Array.of(10));
        await out.read();
      }
      probe.drain();
      return ends(probe, child.pid).length;
    };
    assertEquals(await told(), 0);
    probe.set({ kinds: ["connect"], ...needing(rule, ["127.7.7.7"]) });
    assertEquals(await told(), 1);
    // One that was told is told again to who lists it only then.
    probe.set({ kinds: ["connect"], ...needing(rule, ["127.7.7.7", "127.7.7.8"]) });
    assertEquals(await told(), 2);
    const everything = (listed: readonly string[]): Partial<Policy> => {
      const network = present(needing(rule, listed).network);
      return { kinds: ["connect"], network: { ...network, filters: false } };
    };
    probe.set(everything([]));
    assertEquals(await told(), 2);
    probe.set(everything(["127.7.0.0/16"]));
    assertEquals(await told(), 3);
    assertEquals(ends(probe, child.pid), [to, to, to]);
    await into.close();
    await out.cancel();
    assert((await child.status).success);
    assertAddsUp(probe, "connect");
  },
);

sensorTest(
  "binds, listens, accepts and flows are looked at by the end that rules ask for",
  async () => {
    using probe = new Probe({
      kinds: ["bind", "listen", "accept", "flow"],
      ...needing(interestOf(
        ["network_bind", `{ SourcePort: ${NAMED} }`],
        ["network_listen", `{ SourcePort: ${OTHER} }`],
        ["network_accept", "{ SourceIp|cidr: 127.44.0.0/16 }"],
        ["network_flow", `{ DestinationPort: ${NAMED} }`],
      )),
    });
    const binder = await run("perl", [
      CONTACTS,
      ...["bind", "127.0.0.1", `${OTHER}`, "127.0.0.1", `${NAMED}`],
    ]);
    const server = await run("perl", [CONTACTS, "serve", `${NAMED}`, "127.44.0.1", "127.45.0.1"]);
    probe.drain();
    assertEquals(ends(probe, binder.pid, "bind"), [`127.0.0.1 ${NAMED}`]);
    assertEquals(ofKind(probe, server.pid, "listen"), []);
    const accepts = ofKind(probe, server.pid, "accept").map((record) =>
      addressText(record.address("accept", "peer_address"), 2)
    );
    assertEquals(accepts, ["127.44.0.1"]);
    // Of each connection the end that went to the port; the other one came from there.
    const flows = ofKind(probe, server.pid, "flow").map((record) => [
      record.number("flow", "port"),
      record.number("flow", "initiated"),
    ]);
    assertEquals(flows, [[NAMED, 1], [NAMED, 1]]);
    for (const kind of ["bind", "listen", "accept", "flow"] as const) assertAddsUp(probe, kind);
  },
);

sensorTest("what a process with a role does is sent, whether or not a rule asks", async () => {
  await inFolder(async (folder) => {
    const name = `immune-${crypto.randomUUID().slice(0, 8)}`;
    const perl = new TextDecoder().decode(
      (await new Deno.Command("which", { args: ["perl"] }).output()).stdout,
    );
    await Deno.copyFile(perl.trim(), `${folder}/${name}`);
    const { interest: { roles } } = compileRules([{
      path: "a.yml",
      text: `title: T\nrole: mine\ndetection: { s: { Image|endswith: /${name} }, condition: s }\n`,
    }]);
    using probe = new Probe({
      kinds: ["exec", "connect"],
      roles,
      ...needing(interestOf(["network_connection", `{ DestinationPort: ${NAMED} }`])),
    });
    const to = [CONTACTS, "to", "1", "127.0.0.1", `${OTHER}`];
    const [mine, other] = [await run(`${folder}/${name}`, to), await run("perl", to)];
    probe.drain();
    assertEquals(ends(probe, mine.pid), [`127.0.0.1 ${OTHER}`]);
    assertEquals(ends(probe, other.pid), []);
  });
});

sensorTest("no limit is laid on what a rule names or an indicator lists", async () => {
  const interest = interestOf(
    ["network_connection", "{ Image: /nowhere }"],
    ["network_connection", `{ DestinationPort: ${NAMED} }`],
  );
  const { network } = needing(interest, ["127.7.7.7"]);
  assert(network !== undefined);
  using probe = new Probe({
    kinds: ["connect"],
    rates: { process: LIMIT, cgroup: 0 },
    network: { ...network, filters: false },
  });
  const to = [`127.0.0.1 ${NAMED}`, `127.7.7.7 ${OTHER}`, `127.0.0.1 ${OTHER}`];
  const { pid } = await run("perl", [
    CONTACTS,
    ...["to", `${TIMES}`, ...to.flatMap((end) => end.split(" "))],
  ]);
  probe.drain();
  const sent = ends(probe, pid);
  const count = (end: string | undefined): number => sent.filter((one) => one === end).length;
  assertEquals([count(to[0]), count(to[1])], [TIMES, TIMES]);
  const folded = probe.sensor.folded().filter((row) => row.pid === pid)
    .reduce((sum, row) => sum + row.count, 0);
  assert(folded > 0 && count(to[2]) >= LIMIT);
  assertEquals(count(to[2]) + folded, TIMES);
  assertAddsUp(probe, "connect");
});

sensorTest("another filter comes into force without a gap", async () => {
  const byRule = needing(interestOf(
    ["network_connection", `{ DestinationPort: ${NAMED} }`],
    ["network_connection", "{ DestinationIp|cidr: 127.5.0.0/16 }"],
  ));
  const byNetwork = needing(
    interestOf(["network_connection", "{ DestinationIp|cidr: 127.7.0.0/16 }"]),
    ["127.5.5.5"],
  );
  const byList = needing(interestOf(), ["127.7.7.7", "127.5.0.0/16"]);
  const both = ["127.7.7.7", `${NAMED}`, "127.5.5.5", `${OTHER}`];
  using probe = new Probe({ kinds: ["connect"], ...byRule });
  const child = new Deno.Command("perl", {
    args: [CONTACTS, "to", `${TIMES * 3}`, ...both, "127.8.8.8", `${OTHER}`],
  }).spawn();
  let ended = false;
  let changes = 0;
  const status = child.status.finally(() => ended = true);
  while (!ended) {
    for (const policy of [byNetwork, byList, byRule]) {
      probe.set({ kinds: ["connect"], ...policy });
      probe.read(0);
      changes++;
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert((await status).success);
  probe.drain();
  const sent = ends(probe, child.pid);
  assertEquals(sent.filter((end) => end === `127.7.7.7 ${NAMED}`).length, TIMES * 3);
  assertEquals(sent.filter((end) => end === `127.5.5.5 ${OTHER}`).length, TIMES * 3);
  assert(changes > 10, `only ${changes} changes: the test tests little`);
  assertEquals(probe.sensor.verify(), []);
  assertAddsUp(probe, "connect");
});

sensorTest(
  "without Bloom maps what may be listed is sent, all of it, and the capability says why",
  async () => {
    await inFolder(async (folder) => {
      const btf = await olderTypes(folder);
      const trial = tryCapabilities({ btf }).find(({ capability }) => capability === "bloom");
      assertEquals(trial?.state, "refused");
      assertStringIncludes(trial?.reason ?? "", "Linux 5.16");
      const rule = interestOf(["network_connection", `{ DestinationPort: ${NAMED} }`]);
      using probe = new Probe({ kinds: ["connect", "bind"], ...needing(rule, ["127.7.7.7"]) }, {
        btf,
      });
      const to = ["to", "1", "127.0.0.1", `${OTHER}`, "127.7.7.7", `${OTHER}`];
      const { pid } = await run("perl", [CONTACTS, ...to]);
      probe.drain();
      assertEquals(ends(probe, pid), [`127.0.0.1 ${OTHER}`, `127.7.7.7 ${OTHER}`]);
      // With nothing listed the rules alone decide.
      probe.set({ kinds: ["connect"], ...needing(rule) });
      const later = await run("perl", [CONTACTS, ...to]);
      probe.drain();
      assertEquals(ends(probe, later.pid), []);
      assertEquals(probe.sensor.verify(), []);
    });
  },
);

sensorTest(
  "the kernel decides as the compiled filter says, random rules, lists and connects",
  async () => {
    const seed = Math.floor(Math.random() * 2 ** 31) + 1;
    const random = new Random(seed);
    const address = (): string => [127, ...[4, 4, 250].map((n) => random.between(1, n))].join(".");
    const port = (): number => random.pick([NAMED, OTHER, random.between(1024, 65_535)]);
    const network = (): string => {
      const [a, b] = [random.between(1, 4), random.between(1, 4)];
      return random.pick([`127.${a}.0.0/16`, `127.${a}.${b}.0/24`, `127.${a}.${b}.128/25`]);
    };
    const selection = (): string => {
      const tests = [`DestinationPort: [${port()}, ${port()}]`, `DestinationIp|cidr: ${network()}`];
      return `{ ${random.pick([[tests[0]], [tests[1]], tests]).join(", ")} }`;
    };
    const counts = { sent: 0, left: 0, listed: 0 };
    using probe = new Probe({ kinds: ["connect"] });
    for (let round = 0; round < ROUNDS; round++) {
      const interest = interestOf(
        ...Array.from(
          { length: random.between(1, 4) },
          () => ["network_connection", selection()] as const,
        ),
      );
      const listed = Array.from({ length: 400 }, () => random.chance(1) ? network() : address());
      probe.set({ kinds: ["connect"], ...needing(interest, listed) });
      const to = Array.from({ length: 300 }, () =>
        [
          random.chance(40) ? random.pick(listed).replace(/\/.*/, "") : address(),
          port(),
        ] as const);
      const { pid } = await run("perl", [CONTACTS, "to", "1", ...to.flat().map(String)]);
      probe.drain();
      const sent = new Set(ends(probe, pid));
      const networks = listed.map(networkAt);
      for (const [end, port] of to) {
        const { address } = networkAt(end);
        const own = { address, prefix: 32 };
        const isListed = networks.some((one) => holdsNetwork(one, own));
        const need = needOf(interest.network.filter, { kind: "connect", address, port });
        const isSent = sent.has(`${end} ${port}`);
        if (isListed || need !== "none") {
          assert(isSent, `seed ${seed}, round ${round}: ${end} ${port}`);
          counts[isListed ? "listed" : "sent"]++;
        } else if (!isSent) counts.left++;
      }
    }
    // Five hashes let about one in thirty through that nobody listed.
    assert(Object.values(counts).every((count) => count > 100), JSON.stringify([seed, counts]));
    assertAddsUp(probe, "connect");
  },
);
