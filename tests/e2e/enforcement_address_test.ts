import { assert, assertEquals } from "@std/assert";
import type { Tier } from "../../agent/enforce/mod.ts";
import {
  FLAGS,
  VERDICT_ACTIONS,
  VERDICT_OUTCOMES,
  VERDICT_TIERS,
} from "../../common/record/values.ts";
import type { RecordView } from "../../common/record/decode.ts";
import { addressText } from "../../common/record/text.ts";
import { blocking, compile, Refusals, tierTest } from "../support/enforcement.ts";
import { hasMptcp } from "../support/host.ts";
import { inFolder, run } from "../support/probe.ts";

/** An address of this test alone. */
const ADDRESS = `127.${Deno.pid >> 8 & 0xFF}.${Deno.pid & 0xFF}.77`;
const PORT = 4999;
const EPERM = "1";

/** Every way to reach an address that is not the plain one. */
const WAYS: readonly string[] = [
  ...["tcp", "udp", "mapped", "mapped_udp", "fastopen", "uring"],
  ...(hasMptcp() ? ["mptcp"] : []),
];

interface End {
  readonly address?: string;
  readonly port?: number;
}

async function reach(
  program: string,
  how: string,
  { address = ADDRESS, port = PORT }: End = {},
): Promise<readonly string[]> {
  const { lines } = await run(program, [how, address, String(port)]);
  return lines[0]?.split(" ") ?? [];
}

/** Ways to all zeros, and where the kernel takes them. */
const TO_ANY: readonly (readonly [how: string, address: string, judged: string])[] = [
  ["tcp", "0.0.0.0", "127.0.0.1"],
  ["mapped", "0.0.0.0", "127.0.0.1"],
  ["any6", "0.0.0.0", "::1"],
  ["bound", ADDRESS, ADDRESS],
];
const TO_ANY_BY_DATAGRAM: typeof TO_ANY = [
  ["udp", "0.0.0.0", "127.0.0.1"],
  ["mapped_udp", "0.0.0.0", "127.0.0.1"],
  ["any6_udp", "0.0.0.0", "::1"],
  ["sent_from", ADDRESS, ADDRESS],
];

/** Where verdicts say that somebody wanted to go. */
function judged(verdicts: readonly RecordView[]): readonly string[] {
  return verdicts.map((verdict) =>
    addressText(verdict.address("verdict", "address"), verdict.number("verdict", "family"))
  );
}

/** That an address of all zeros is judged as the one that it leads to. */
async function assertJudgesAny(
  program: string,
  { tier, ways }: { readonly tier: Tier; readonly ways: typeof TO_ANY },
): Promise<void> {
  // One port: what else this host does on its loopback is let go.
  const ends = `addresses = ["127.0.0.1", "::1", "${ADDRESS}"]\nports = [${PORT}]`;
  using refusals = new Refusals(blocking("connect", ends), { tiers: [tier] });
  for (const [how, address] of ways) {
    assertEquals(await reach(program, how, { address }), [EPERM, "0"], how);
  }
  assertEquals(judged(refusals.until(ways.length)), ways.map(([, , end]) => end));
  // What is bound to all addresses is not bound to the loopback.
  refusals.set(blocking("bind", ends));
  assertEquals((await reach(program, "bind", { address: "0.0.0.0" }))[0], "0");
}

function withReach(test: (program: string) => Promise<void>): () => Promise<void> {
  return () => inFolder(async (folder) => await test(await compile("contact", folder)));
}

for (const how of WAYS) {
  tierTest(`a blocked address is reached by no packet, ${how}`, {
    tier: "cgroup",
    action: "connect",
    test: withReach(async (program) => {
      const policy = blocking("connect", `addresses = ["${ADDRESS}/32"]\nports = [${PORT}]`);
      using refusals = new Refusals(policy, { tiers: ["cgroup"] });
      assertEquals(await reach(program, how), [EPERM, "0"]);
      const [verdict] = refusals.until(1);
      assert(verdict !== undefined);
      assertEquals(verdict.number("verdict", "tier"), VERDICT_TIERS.cgroup);
      assertEquals(verdict.number("verdict", "outcome"), VERDICT_OUTCOMES.refused);
      assertEquals(verdict.number("verdict", "port"), PORT);
      assertEquals(addressText(verdict.address("verdict", "address"), 2), ADDRESS);
      // Datagrams become IPv4 before they are asked about.
      assertEquals((verdict.flags & FLAGS.mapped) !== 0, how === "mapped");
      // Another port is another thing, and packets are seen when they are made.
      const [, packets] = await reach(program, how, { port: PORT + 1 });
      assert(Number(packets) > 0, "the capture sees nothing");
    }),
  });
}

tierTest("an address of all zeros is judged as the one that it leads to", {
  tier: "cgroup",
  action: "connect",
  test: withReach((program) =>
    assertJudgesAny(program, { tier: "cgroup", ways: [...TO_ANY, ...TO_ANY_BY_DATAGRAM] })
  ),
});

/** Sockets whose connects and datagrams meet no hook of this tier, and their protocols. */
const UNSEEN: readonly (readonly [how: string, protocol: number])[] = [
  ["udplite", 136],
  ["udplite_sent", 136],
  ["ping", 1],
];
/** EPROTONOSUPPORT: what a kernel says of a protocol that it does not have (UDP-Lite, Linux 7). */
const UNSUPPORTED = "93";

tierTest("sockets that cannot be judged later are refused where an entry blocks, else told", {
  tier: "cgroup",
  action: "connect",
  test: withReach(async (program) => {
    const entry = blocking("connect", `addresses = ["${ADDRESS}"]`);
    using refusals = new Refusals(entry.replace("block", "monitor"), { tiers: ["cgroup"] });
    const ways: (typeof UNSEEN[number])[] = [];
    for (const way of UNSEEN) {
      const [error] = await reach(program, way[0]);
      // What would be judged by an address that is not known is not said to hold.
      if (error !== UNSUPPORTED) ways.push(way);
      else assert(way[0] !== "ping");
      assert(error !== EPERM, way[0]);
    }
    refusals.set(entry);
    for (const [how] of ways) assertEquals(await reach(program, how), [EPERM, "0"], how);
    // A datagram of UDP-Lite that names its receiver was judged, as it is asked about.
    const isRefused = (one: RecordView): boolean =>
      one.number("verdict", "outcome") === VERDICT_OUTCOMES.refused;
    refusals.probe.until(() => refusals.verdicts().filter(isRefused).length >= ways.length);
    const verdicts = refusals.verdicts().filter(isRefused);
    assertEquals(
      verdicts.map((one) => one.number("verdict", "protocol")),
      ways.map(([, it]) => it),
    );
    assertEquals(judged(verdicts), ways.map(() => "0.0.0.0"));
    for (const verdict of verdicts) {
      assert(verdict.has("unresolved"));
      assertEquals(verdict.number("verdict", "action"), VERDICT_ACTIONS.connect);
    }
    // Entries for other protocols, other actors, and binds that are asked about hold for none.
    const others = [
      entry + 'protocols = ["tcp", "udp"]\n',
      entry + "users = [4242]\n",
      ...ways.length === UNSEEN.length ? [blocking("bind", "ports = [4000]")] : [],
    ];
    for (const other of others) {
      refusals.set(other);
      assert((await reach(program, ways[0]?.[0] ?? ""))[0] !== EPERM, other);
    }
    refusals.set(blocking("bind", "ports = [4000]"));
    assertEquals((await reach(program, "ping"))[0], EPERM);
  }),
});

tierTest("bind, protocols and ranges of ports are told apart", {
  tier: "cgroup",
  action: "connect",
  test: withReach(async (program) => {
    using refusals = new Refusals(blocking("bind", `ports = ["4000-4998"]`), {
      tiers: ["cgroup"],
    });
    assertEquals((await reach(program, "bind", { port: 4998 }))[0], EPERM);
    assertEquals((await reach(program, "bind", { port: 4999 }))[0], "0");
    assertEquals(refusals.until(1)[0]?.number("verdict", "action"), VERDICT_ACTIONS.bind);
    refusals.set(blocking(
      "connect",
      `addresses = ["127.0.0.0/8"]\nports = [${PORT}]\nprotocols = ["udp"]
except_users = [4242]`,
    ));
    assertEquals((await reach(program, "udp"))[0], EPERM);
    assert((await reach(program, "tcp"))[0] !== EPERM);
    refusals.set(blocking(
      "connect",
      `addresses = ["${ADDRESS}"]
except_programs = ["${program}"]`,
    ));
    assert((await reach(program, "udp"))[0] !== EPERM);
  }),
});

tierTest("a blocked address is not reached by connect(2) nor bound", {
  tier: "lsm",
  action: "connect",
  test: withReach(async (program) => {
    const tiers: readonly Tier[] = ["lsm"];
    using refusals = new Refusals(blocking("connect", `addresses = ["${ADDRESS}"]`), { tiers });
    for (const how of ["tcp", "mapped", "uring", "mptcp"]) {
      assertEquals(await reach(program, how), [EPERM, "0"]);
    }
    refusals.set(blocking("bind", `addresses = ["${ADDRESS}"]`));
    assertEquals((await reach(program, "bind"))[0], EPERM);
    for (const verdict of refusals.until(5)) {
      assertEquals(verdict.number("verdict", "tier"), VERDICT_TIERS.lsm);
    }
  }),
});

tierTest("a connect(2) to all zeros is judged as one to where it leads", {
  tier: "lsm",
  action: "connect",
  test: withReach((program) => assertJudgesAny(program, { tier: "lsm", ways: TO_ANY })),
});
