import { newSeed, signingKey, stopKeySuccession } from "../../common/keys/mod.ts";
import {
  DIRECTIVE_HEADER,
  directiveBytes,
  type DirectiveContent,
  EVERY_HOST,
  sealDirective,
} from "../../common/wire/mod.ts";
import {
  directiveKey,
  FLEET,
  frame,
  type FrameOptions,
  GuardScene,
  NOW_MS,
  stopKey,
} from "../../agent/guards/_guard_test_support.ts";
import { type Attack, attackTable } from "./table.ts";

const STOP = { kind: "stop", body: { action: "stop" } } as const;
const RULES = { kind: "rules", body: { pack: null } } as const;
const OTHER_FLEET = "0e".repeat(16);
const OTHER_HOST = "0d".repeat(32);
const DAY_MS = 24 * 3600 * 1000;
const other = await signingKey(newSeed());

/** What an agent made of it, and that it did nothing. */
async function given(scene: GuardScene, bytes: Uint8Array): Promise<string> {
  const before = { ...scene.guard.state.refused };
  const done = scene.acts.length;
  await scene.guard.take(bytes);
  const cause = Object.entries(scene.guard.state.refused)
    .find(([name, count]) => count > (before[name as keyof typeof before] ?? 0))?.[0];
  const { state } = scene.guard;
  const acted = scene.acts.length > done || state.stopped || state.pack !== null;
  const failed = state.results.at(-1)?.outcome === "failed" ? "failed" : "taken";
  return acted ? "it was carried out" : cause ?? failed;
}

/** One that is in order but for what the row says. */
function order(
  content: DirectiveContent,
  options: FrameOptions = {},
): (scene: GuardScene) => Promise<string> {
  return async (scene) => await given(scene, await frame(content, options));
}

/** One that is changed behind its signature. */
function changed(
  content: DirectiveContent,
  change: (view: DataView, bytes: Uint8Array) => void,
): (scene: GuardScene) => Promise<string> {
  return async (scene) => {
    const bytes = await frame(content);
    change(new DataView(bytes.buffer), bytes);
    return await given(scene, bytes);
  };
}

const SIGNATURES: readonly Attack<GuardScene>[] = [
  {
    tries: "a stop without a signature",
    refused: "unsigned",
    attempt: (scene) => {
      const head = { fleet: FLEET, target: EVERY_HOST, number: 1 };
      const time = { issuedMs: NOW_MS, expiresMs: NOW_MS + 60_000 };
      const bytes = directiveBytes({ ...head, ...time, ...STOP });
      return given(scene, sealDirective(bytes, new Uint8Array(64)));
    },
  },
  {
    tries: "a stop signed by the directive key",
    refused: "bad_signature",
    attempt: order(STOP, { key: directiveKey }),
  },
  {
    tries: "a stop signed by the directive key as an order",
    refused: "bad_signature",
    attempt: order(STOP, { key: directiveKey, purpose: "directive" }),
  },
  {
    tries: "an order signed by the stop key",
    refused: "bad_signature",
    attempt: order(RULES, { key: stopKey }),
  },
  {
    tries: "an order signed by a stranger's key",
    refused: "bad_signature",
    attempt: order(RULES, { key: other }),
  },
  {
    tries: "an order whose signature was made for a canary",
    refused: "bad_signature",
    attempt: order(RULES, { purpose: "canary" }),
  },
  {
    tries: "an order signed by the hive's TLS key",
    refused: "bad_signature",
    attempt: async (scene) => {
      const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
      const { privateKey } = await crypto.subtle.generateKey(algorithm, false, ["sign"]);
      const bytes = (await frame(RULES)).slice(0, -64);
      // Both kinds of signature have 64 bytes.
      const signature = new Uint8Array(await crypto.subtle.sign(algorithm, privateKey, bytes));
      return await given(scene, sealDirective(bytes, signature));
    },
  },
  {
    tries: "another host put into a signed order",
    refused: "bad_signature",
    attempt: changed(RULES, (_, bytes) => bytes.fill(0xA5, DIRECTIVE_HEADER.target, 88)),
  },
  {
    tries: "a signed order that is to hold longer",
    refused: "bad_signature",
    attempt: changed(
      RULES,
      (view) => view.setBigUint64(DIRECTIVE_HEADER.expires_ms, BigInt(NOW_MS + DAY_MS), true),
    ),
  },
  {
    tries: "a higher number put into a signed order",
    refused: "bad_signature",
    attempt: changed(RULES, (view) => view.setBigUint64(DIRECTIVE_HEADER.number, 99n, true)),
  },
  {
    tries: "a drill turned into a lift of the same length",
    refused: "bad_signature",
    attempt: async (scene) => {
      const drill = await frame({ kind: "stop", body: { action: "drill" } });
      const lift = await frame({ kind: "stop", body: { action: "lift" } });
      return await given(scene, sealDirective(lift.slice(0, -64), drill.slice(-64)));
    },
  },
];

const PLACES: readonly Attack<GuardScene>[] = [
  {
    tries: "a stop for another fleet",
    refused: "wrong_fleet",
    attempt: order(STOP, { fleet: OTHER_FLEET }),
  },
  {
    tries: "an order for another host",
    refused: "wrong_host",
    attempt: order(RULES, { target: OTHER_HOST }),
  },
  {
    tries: "a stop a second time",
    refused: "replay",
    attempt: async (scene) => {
      const drill = await frame({ kind: "stop", body: { action: "drill" } });
      await scene.guard.take(drill);
      return await given(scene, drill);
    },
  },
  {
    tries: "an order a second time, after the agent was killed",
    refused: "replay",
    attempt: async (scene) => {
      const bytes = await frame(RULES);
      await scene.guard.take(bytes);
      scene.restart({ killed: true });
      return await given(scene, bytes);
    },
  },
  {
    tries: "an order held back behind a later one",
    refused: "reorder",
    attempt: async (scene) => {
      await scene.guard.take(await frame(RULES, { number: 9 }));
      return await given(scene, await frame(RULES, { number: 8 }));
    },
  },
  {
    tries: "a stop of a minute ago",
    refused: "expired",
    attempt: order(STOP, { issuedMs: NOW_MS - 60_000, expiresMs: NOW_MS }),
  },
  {
    tries: "an order dated an hour ahead",
    refused: "not_yet_valid",
    attempt: order(RULES, { issuedMs: NOW_MS + 3_600_000, expiresMs: NOW_MS + 3_660_000 }),
  },
  {
    tries: "an order that holds for a year",
    refused: "expired",
    attempt: order(RULES, { expiresMs: NOW_MS + 365 * DAY_MS }),
  },
];

const FORMS: readonly Attack<GuardScene>[] = [
  {
    tries: "an order of a kind that nobody knows",
    refused: "unknown_kind",
    attempt: changed(RULES, (view) => view.setUint16(DIRECTIVE_HEADER.kind, 77, true)),
  },
  {
    tries: "an order that was cut",
    refused: "malformed",
    attempt: async (scene) => await given(scene, (await frame(RULES)).slice(0, -1)),
  },
  {
    tries: "an order with more behind it",
    refused: "malformed",
    attempt: async (scene) => {
      const bytes = await frame(RULES);
      const longer = new Uint8Array(bytes.length + 1);
      longer.set(bytes);
      return await given(scene, longer);
    },
  },
  {
    tries: "ten megabytes in the place of an order",
    refused: "malformed",
    attempt: (scene) => given(scene, new Uint8Array(10 << 20)),
  },
  {
    tries: "a body of another kind",
    refused: "malformed",
    attempt: changed(RULES, (view) => view.setUint16(DIRECTIVE_HEADER.kind, 32, true)),
  },
];

const KEYS: readonly Attack<GuardScene>[] = [
  {
    tries: "another stop key in the directive key's name alone",
    refused: "failed",
    attempt: order({
      kind: "keys",
      body: { directive: null, stop: { key: other.publicKey.toHex(), signature: null } },
    }),
  },
  {
    tries: "another stop key that signed itself",
    refused: "failed",
    attempt: async (scene) => {
      const key = other.publicKey.toHex();
      const signature = await other.sign("stop key successor", stopKeySuccession(FLEET, key));
      const stop = { key, signature: signature.toHex() };
      return await given(scene, await frame({ kind: "keys", body: { directive: null, stop } }));
    },
  },
  {
    tries: "another stop key that was signed for another fleet",
    refused: "failed",
    attempt: async (scene) => {
      const key = other.publicKey.toHex();
      const signed = stopKeySuccession(OTHER_FLEET, key);
      const signature = (await stopKey.sign("stop key successor", signed)).toHex();
      const stop = { key, signature };
      return await given(scene, await frame({ kind: "keys", body: { directive: null, stop } }));
    },
  },
  {
    tries: "a directive key that names itself the successor",
    refused: "bad_signature",
    attempt: order({
      kind: "keys",
      body: { directive: other.publicKey.toHex(), stop: null },
    }, { key: other }),
  },
];

const CANARIES: readonly Attack<GuardScene>[] = [
  {
    tries: "a canary of another fleet",
    refused: "wrong_fleet",
    attempt: async (scene) => {
      scene.guard.start();
      const body = { nonce: scene.nonce };
      return await given(scene, await frame({ kind: "canary", body }, { fleet: OTHER_FLEET }));
    },
  },
  {
    tries: "an old canary once more",
    refused: "replay",
    attempt: async (scene) => {
      scene.guard.start();
      const bytes = await frame({ kind: "canary", body: { nonce: scene.nonce } });
      await scene.guard.take(bytes);
      return await given(scene, bytes);
    },
  },
  {
    tries: "a canary that answers another host",
    refused: "replay",
    attempt: async (scene) => {
      scene.guard.start();
      return await given(scene, await frame({ kind: "canary", body: { nonce: "9".repeat(32) } }));
    },
  },
  {
    tries: "a pushed canary with an old number",
    refused: "replay",
    attempt: async (scene) => {
      const canary = { kind: "canary", body: { nonce: null } } as const;
      await scene.guard.take(await frame(canary, { number: 5 }));
      return await given(scene, await frame(canary, { number: 5 }));
    },
  },
  {
    tries: "a canary signed by the stop key",
    refused: "bad_signature",
    attempt: async (scene) => {
      scene.guard.start();
      const canary = { kind: "canary", body: { nonce: scene.nonce } } as const;
      return await given(scene, await frame(canary, { key: stopKey }));
    },
  },
];

attackTable({
  subject: "orders",
  against: async (attack) => {
    await using scene = await GuardScene.open();
    await attack(scene);
  },
}, [...SIGNATURES, ...PLACES, ...FORMS, ...KEYS, ...CANARIES]);

attackTable<GuardScene>({
  subject: "a host with a policy of its own",
  against: async (attack) => {
    await using scene = await GuardScene.open({ refuse: ["rules", "stop"] });
    await attack(scene);
  },
}, [
  {
    tries: "an order that the host's configuration refuses",
    refused: "local_policy",
    attempt: order(RULES),
  },
  {
    tries: "a stop that the host's configuration refuses",
    refused: "local_policy",
    attempt: order(STOP),
  },
]);
