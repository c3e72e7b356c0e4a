import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { FakeClock } from "../../common/config/mod.ts";
import { directiveBytes, EVERY_HOST, sealDirective } from "../../common/wire/mod.ts";
import { TestHerd } from "./_herd_test_support.ts";
import { HERD_LIMITS } from "./limits.ts";
import { HERD_LOOK_ALL_MS, HerdPublisher, type HerdPublisherOptions } from "./publisher.ts";

const PATH = "/var/tmp/.cache/miner";

/** What a hive has around a publisher. */
class Scene {
  readonly herd = new TestHerd();
  readonly clock = new FakeClock(this.herd.nowMs);
  /** Ids of the antibodies that each target was told of, in order. */
  readonly sent: (readonly [target: string, ids: readonly string[]])[] = [];
  readonly lines: string[] = [];
  readonly sets = new Map<string, Uint8Array>();
  failing = false;
  readonly #last = new Map<string, string | null>();

  start(): Promise<HerdPublisher> {
    const options: HerdPublisherOptions = {
      store: {
        herd: (call, given) => Promise.resolve(this.herd.run(call, given)),
        antibodyDirectives: () => Promise.resolve([...this.#last].map(directiveOf)),
      },
      sets: {
        get: (hash) => this.sets.get(hash),
        keepOnly: (hashes) => {
          for (const hash of this.sets.keys()) if (!hashes.has(hash)) this.sets.delete(hash);
        },
      },
      send: (target, set) => {
        if (this.failing) return Promise.reject(new Error("The store is busy"));
        const { antibodies } = set === null
          ? { antibodies: [] }
          : JSON.parse(new TextDecoder().decode(set));
        this.sent.push([target, antibodies.map(({ id }: { id: string }) => id)]);
        const hash = set && createHash("sha256").update(set).digest("hex");
        if (hash !== null && set !== null) this.sets.set(hash, set);
        this.#last.set(target, hash);
        return Promise.resolve(hash);
      },
      check: () => {
        for (const { antibody: { id } } of this.herd.run("unchecked", undefined)) {
          this.herd.run("checked", { antibodyId: id, looked: 0, hosts: 0 });
        }
        return Promise.resolve();
      },
      clock: this.clock,
      log: (line) => this.lines.push(line),
    };
    return HerdPublisher.start(options);
  }

  /** Host of an agent, as long as one is. */
  takeSent(): (readonly [string, readonly string[]])[] {
    return this.sent.splice(0);
  }
}

function directiveOf(
  [target, set]: readonly [string, string | null],
): { readonly target: string; readonly bytes: Uint8Array } {
  const head = { fleet: "f1".repeat(16), target: EVERY_HOST, number: 1 };
  const time = { issuedMs: 1, expiresMs: 2 };
  const bytes = directiveBytes({ ...head, ...time, kind: "antibodies", body: { set } });
  return { target, bytes: sealDirective(bytes, new Uint8Array(64)) };
}

/** An antibody on the canary host; gives its id and that host. */
function published(scene: Scene): { readonly id: string; readonly host: string } {
  const [a = ""] = scene.herd.elders(5);
  const id = scene.herd.propose(a, PATH);
  scene.herd.run("approve", id);
  const having = scene.herd.ledger.members()
    .find(({ agentId }) => scene.herd.run("inForce", agentId).antibodies.length > 0);
  return { id, host: having?.hostId ?? "" };
}

Deno.test("HerdPublisher tells the canary host, then all, then takes back", async () => {
  const scene = new Scene();
  await using publisher = await scene.start();
  await publisher.look();
  assertEquals(scene.takeSent(), [], "nothing was ever in force");
  const { id, host } = published(scene);
  await publisher.look();
  assertEquals(scene.takeSent(), [[host, [id]]]);
  await publisher.look();
  assertEquals(scene.takeSent(), [], "nothing changed");
  scene.herd.nowMs += HERD_LIMITS.canaryMs;
  scene.herd.run("tick", undefined);
  await publisher.look();
  assertEquals(scene.takeSent(), [[EVERY_HOST, [id]], [host, []]], "never on none");
  scene.herd.run("pull", { antibodyId: id, why: "a backup", isFalse: false });
  await publisher.look();
  assertEquals(scene.takeSent(), [[EVERY_HOST, []]]);
  assertEquals(scene.sets.size, 0);
});

Deno.test("HerdPublisher goes on after a restart: what was said is not said again", async () => {
  const scene = new Scene();
  const { id, host } = published(scene);
  {
    await using first = await scene.start();
    await first.look();
  }
  assertEquals(scene.takeSent(), [[host, [id]]]);
  {
    await using second = await scene.start();
    await second.look();
  }
  assertEquals(scene.takeSent(), []);
  scene.sets.clear();
  await using third = await scene.start();
  await third.look();
  assertEquals(scene.takeSent(), [[host, [id]]], "a set that was lost is made again");
});

Deno.test("HerdPublisher says it at the next look when it could not be said", async () => {
  const scene = new Scene();
  await using publisher = await scene.start();
  const { id, host } = published(scene);
  scene.failing = true;
  await publisher.look();
  scene.failing = false;
  await publisher.look();
  assertEquals([scene.takeSent(), scene.lines[0]], [[[host, [id]]], "The store is busy"]);
});

Deno.test("HerdPublisher takes back what has run out, though nothing else changed", async () => {
  const scene = new Scene();
  await using publisher = await scene.start();
  const { host } = published(scene);
  await publisher.look();
  scene.takeSent();
  scene.herd.days(30);
  scene.clock.advance(HERD_LOOK_ALL_MS);
  await publisher.look();
  assertEquals(scene.takeSent(), [[host, []]]);
});
