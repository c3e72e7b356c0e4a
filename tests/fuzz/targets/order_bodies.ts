import { writePack } from "../../../common/wire/mod.ts";
import { makeStopKey } from "../../../common/keys/mod.ts";
import { byHolders, openOrderingHive, STOP } from "../../support/orders.ts";
import { type FuzzSubject, type FuzzTarget, serverFault } from "../target.ts";

const RULE = "title: X\nlogsource: { product: linux }\n" +
  "detection:\n  s: { CommandLine|contains: xmrig }\n  condition: s\n";
/** Inputs after which the hive is made anew: what was taken fills it. */
const INPUTS_PER_HIVE = 20_000;

/** A route that takes an order. */
interface Door {
  readonly method: "POST" | "PUT";
  readonly path: string;
  readonly seeds: readonly Uint8Array[];
}

/**
 * Every body by which a hive is brought to give an order, on one that has keys to sign it: orders,
 * packs of rules, stop keys, and what holders signed, of which nothing that was changed may go out.
 * The first byte of an input chooses the route, the rest is the body.
 */
export const target: FuzzTarget = { open };

async function open(): Promise<FuzzSubject> {
  let hive = await openOrderingHive();
  const { stop } = hive;
  const stopBody = { directive: await byHolders(hive, STOP) };
  const { facts } = await makeStopKey();
  const doors: readonly Door[] = [
    {
      method: "POST",
      path: "/directives",
      seeds: [
        { order: { kind: "rules", body: { pack: null } }, valid: "60s", reason: "x" },
        {
          order: {
            kind: "policy",
            body: { open: "wide", wakeIntervalUs: 1000, watch: ["/etc/passwd"] },
          },
          host: "ab".repeat(32),
        },
      ].map(bytesOf),
    },
    {
      method: "POST",
      path: "/rule-packs",
      seeds: [writePack([{ name: "a.yml", text: RULE }])],
    },
    { method: "PUT", path: "/kill-switch", seeds: [bytesOf({ facts, signature: null })] },
    { method: "POST", path: "/kill-switch/stops", seeds: [bytesOf(stopBody)] },
    { method: "POST", path: "/ca/rotate", seeds: [bytesOf({ what: "server", force: false })] },
  ];
  await hive.commands.setStopKey(stop.facts, { signature: null, by: "fuzz" });
  let inputs = 0;
  return {
    seeds: doors.flatMap(({ seeds }, i) => seeds.map((seed) => Uint8Array.from([i, ...seed]))),
    async feed(input): Promise<string | undefined> {
      if (++inputs % INPUTS_PER_HIVE === 0) {
        await hive[Symbol.asyncDispose]();
        hive = await openOrderingHive();
        await hive.commands.setStopKey(stop.facts, { signature: null, by: "fuzz" });
      }
      const door = doors[(input[0] ?? 0) % doors.length];
      if (door === undefined) return "there is no door";
      const { method, path } = door;
      const body = input.slice(1);
      hive.sent.length = 0;
      const problem = await serverFault(
        await hive.api.request(`/api/v1${path}`, {
          method,
          headers: { authorization: `Bearer ${hive.token}`, "content-type": "application/json" },
          body,
        }),
      );
      return problem ??
        (hive.sent.some((each) => each.startsWith("stop")) ? changed(body) : undefined);
    },
    [Symbol.asyncDispose]: () => hive[Symbol.asyncDispose](),
  };

  /** A stop went out: it has to be the very one that the holders signed. */
  function changed(body: Uint8Array): string | undefined {
    const { directive } = JSON.parse(new TextDecoder().decode(body));
    const isSame = Uint8Array.fromBase64(directive).toBase64() === stopBody.directive;
    return isSame ? undefined : "a changed stop went out";
  }
}

function bytesOf(body: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(body));
}
