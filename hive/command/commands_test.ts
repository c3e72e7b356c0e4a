import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, ImmuneError } from "../../common/config/mod.ts";
import {
  makeStopKey,
  stopKeySuccession,
  verifySignature,
  withStopKey,
} from "../../common/keys/mod.ts";
import { EVERY_HOST, type KeysBody, readDirective } from "../../common/wire/mod.ts";
import { DIRECTIVES_PER_ANSWER_MAX } from "../store/directive_store.ts";
import { SqliteStore } from "../store/mod.ts";
import { Commands, type CommandsOptions } from "./commands.ts";
import { DIRECTIVE_KEY_FILE, DirectiveKeyFile } from "./key_file.ts";
import { keepStopKey } from "./kept_stop_key.ts";
import { AntibodySetFiles } from "./antibody_sets.ts";
import { PackFiles } from "./packs.ts";
import { Signer } from "./signer.ts";

const FLEET = "f1".repeat(16);
const NOTHING = { directive: 0, canary: 0, stop: 0 } as const;
const BY = { by: "a test" } as const;

/** A hive's commands, whose signer can be let down in the middle of a rotation. */
class Scene implements AsyncDisposable {
  readonly clock = new FakeClock(1_800_000_000_000);
  readonly folder: string;
  readonly store: SqliteStore;
  failing = false;

  private constructor(folder: string) {
    this.folder = folder;
    this.store = new SqliteStore(`${folder}/store.db`, { clock: this.clock });
  }

  static async open(): Promise<Scene> {
    return new Scene(await Deno.makeTempDir());
  }

  /** As at a start of the hive. */
  async start(options: Partial<CommandsOptions> = {}): Promise<Commands> {
    const file = await DirectiveKeyFile.open(this.folder);
    const signer = new Signer(file, { fleet: FLEET, clock: this.clock });
    return new Commands({
      fleet: FLEET,
      store: this.store,
      signer: {
        sign: (directive) => signer.sign(directive),
        successor: () => signer.successor(),
        succeed: () => this.failing ? Promise.reject(new Error("killed")) : signer.succeed(),
      },
      directiveKey: signer.publicKey.toHex(),
      packs: new PackFiles(this.folder),
      sets: new AntibodySetFiles(this.folder),
      publish: () => {},
      clock: this.clock,
      ...options,
    });
  }

  /** Canaries that were signed so far. */
  async canaries(): Promise<number> {
    const query = { hostId: EVERY_HOST, after: NOTHING, nowMs: this.clock.nowMs() };
    return (await this.store.directivesFor(query)).filter(({ kind }) => kind === "canary").length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** The key that signed the newest directive, as one of these. */
async function signer(scene: Scene, keys: readonly string[]): Promise<number> {
  const rows = await scene.store.directivesFor({
    hostId: EVERY_HOST,
    after: NOTHING,
    nowMs: scene.clock.nowMs(),
  });
  const read = readDirective(rows.at(-1)?.bytes ?? new Uint8Array());
  assert(!("cause" in read));
  const { signed, signature } = read;
  for (const [i, key] of keys.entries()) {
    const publicKey = Uint8Array.fromHex(key);
    if (await verifySignature(publicKey, { purpose: "directive", bytes: signed, signature })) {
      return i;
    }
  }
  return -1;
}

Deno.test("Commands rotates its key: the old one names the new one, which signs from then on", async () => {
  await using scene = await Scene.open();
  const commands = await scene.start();
  const { directiveKey: old } = await commands.trust();
  await commands.rotate("ada");
  const { directiveKey: next } = await commands.trust();
  assertEquals(await signer(scene, [old, next]), 0);
  await commands.send({ kind: "rules", body: { pack: null } }, BY);
  assertEquals(await signer(scene, [old, next]), 1);
  const again = await scene.start();
  assertEquals((await again.trust()).directiveKey, next);
});

Deno.test("Commands ends a rotation that was cut short behind its announcement", async () => {
  await using scene = await Scene.open();
  const commands = await scene.start();
  const { directiveKey: old } = await commands.trust();
  scene.failing = true;
  await assertRejects(() => commands.rotate("ada"));
  scene.failing = false;
  const again = await scene.start();
  assertEquals((await again.trust()).directiveKey, old);
  using started = again;
  await started.start();
  const { directiveKey: next } = await started.trust();
  assert(next !== old);
  await started.send({ kind: "rules", body: { pack: null } }, BY);
  assertEquals(await signer(scene, [old, next]), 1);
});

Deno.test("DirectiveKeyFile makes no key over one that is damaged", async () => {
  await using scene = await Scene.open();
  await scene.start();
  const path = `${scene.folder}/${DIRECTIVE_KEY_FILE}`;
  assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
  await Deno.writeTextFile(path, "no key");
  const error = await assertRejects(() => scene.start(), ImmuneError);
  assertEquals([error.code, Deno.readTextFileSync(path)], ["STATE_UNUSABLE", "no key"]);
});

Deno.test("Commands pushes a canary as often as it is told, also behind one that failed", async () => {
  await using scene = await Scene.open();
  let fails = false;
  const signing = Promise.withResolvers<void>();
  const signed = await scene.start();
  const file = await DirectiveKeyFile.open(scene.folder);
  const signer = new Signer(file, { fleet: FLEET, clock: scene.clock });
  signed[Symbol.dispose]();
  using commands = await scene.start({
    canaryMs: 3_600_000,
    signer: {
      sign: (directive) => {
        if (!fails) return signer.sign(directive);
        signing.resolve();
        return Promise.reject(new Error("The signer is busy"));
      },
      successor: () => signer.successor(),
      succeed: () => signer.succeed(),
    },
  });
  await commands.start();
  assertEquals(await scene.canaries(), 1);
  scene.clock.advance(3_599_999);
  assertEquals(await scene.canaries(), 1);
  fails = true;
  scene.clock.advance(1);
  await signing.promise;
  fails = false;
  // In turn behind the one that failed.
  await commands.send({ kind: "rules", body: { pack: null } }, BY);
  scene.clock.advance(3_600_000);
  await commands.send({ kind: "rules", body: { pack: null } }, BY);
  assertEquals(await scene.canaries(), 2);
});

Deno.test("Commands takes another stop key when the old one signed it", async () => {
  await using scene = await Scene.open();
  const commands = await scene.start();
  const [first, second] = [await makeStopKey(), await makeStopKey()];
  await commands.setStopKey(first.facts, { signature: null, ...BY });
  const signature = await withStopKey(first.facts, {
    shares: first.shares,
    use: (key) => key.sign("stop key successor", stopKeySuccession(FLEET, second.facts.publicKey)),
  });
  await commands.setStopKey(second.facts, { signature: signature.toHex(), ...BY });
  assertEquals(await commands.stopKey(), second.facts);
});

/** Stop keys that agents are told of behind a number. */
async function stopKeysNamed(scene: Scene, directive = 0): Promise<readonly KeysBody["stop"][]> {
  const query = { hostId: EVERY_HOST, after: { ...NOTHING, directive } };
  const rows = await scene.store.directivesFor({ ...query, nowMs: scene.clock.nowMs() });
  return rows.flatMap(({ bytes }) => {
    const read = readDirective(bytes);
    return "cause" in read || read.directive.kind !== "keys" ? [] : [read.directive.body.stop];
  });
}

Deno.test("Commands takes no stop key that it cannot sign for agents", async () => {
  await using scene = await Scene.open();
  const failing = () => Promise.reject(new Error("The signer is busy"));
  const commands = await scene.start({
    signer: { sign: failing, successor: failing, succeed: failing },
  });
  const { facts } = await makeStopKey();
  await assertRejects(() => commands.setStopKey(facts, { signature: null, ...BY }), Error, "busy");
  assertEquals([await commands.stopKey(), await stopKeysNamed(scene)], [undefined, []]);
});

Deno.test("Commands tells agents at its start of a stop key that they were not told of", async () => {
  await using scene = await Scene.open();
  const { facts } = await makeStopKey();
  const key = { facts, signature: null, version: 1 };
  // The hive ended between keeping it and keeping the directive.
  assert(await keepStopKey(scene.store, key));
  for (let starts = 0; starts < 2; starts++) {
    using commands = await scene.start();
    await commands.start();
  }
  assertEquals(await stopKeysNamed(scene), [{ key: facts.publicKey, signature: null }]);
});

Deno.test("Commands names a stop key that was kept and not named before the next one", async () => {
  await using scene = await Scene.open();
  const commands = await scene.start();
  const first = await makeStopKey();
  // Kept, and then there was no room for its directive.
  assert(await keepStopKey(scene.store, { facts: first.facts, signature: null, version: 1 }));
  const { facts } = await makeStopKey();
  await assertRejects(() => commands.setStopKey(facts, { signature: null, ...BY }), ImmuneError);
  assertEquals(await stopKeysNamed(scene), [{ key: first.facts.publicKey, signature: null }]);
});

Deno.test("Commands hands a stop key on with what the one before signed, behind many orders", async () => {
  await using scene = await Scene.open();
  const { facts } = await makeStopKey();
  const commands = await scene.start();
  const order = { kind: "rules", body: { pack: null } } as const;
  for (let orders = 0; orders < DIRECTIVES_PER_ANSWER_MAX; orders++) {
    await commands.send(order, { ...BY, validMs: 3_600_000 });
  }
  await commands.setStopKey(facts, { signature: null, ...BY });
  const kept = { facts: (await makeStopKey()).facts, signature: "5a".repeat(64), version: 2 };
  assert(await keepStopKey(scene.store, kept));
  for (let starts = 0; starts < 2; starts++) {
    using again = await scene.start();
    await again.start();
  }
  assertEquals(await stopKeysNamed(scene, DIRECTIVES_PER_ANSWER_MAX), [
    { key: facts.publicKey, signature: null },
    { key: kept.facts.publicKey, signature: kept.signature },
  ]);
});
