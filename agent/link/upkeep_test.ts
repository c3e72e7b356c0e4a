import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { FakeClock } from "../../common/config/mod.ts";
import { certificateDer, certificatesIn, pinSetId } from "../../common/link/pin.ts";
import { ROUTES } from "../../common/link/protocol.ts";
import type { AskOptions, TransportOptions } from "../../common/link/transport.ts";
import { type Identity, readIdentity, writeIdentity } from "../enrol/identity.ts";
import { renewalDueMs } from "../enrol/renew.ts";
import { PINS_INTERVAL_MS, Upkeep, UPKEEP_INTERVAL_MS } from "./upkeep.ts";

/** A certificate of openssl's: the agent only reads its dates. */
async function certificate(days: number): Promise<string> {
  const { stdout } = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-keyout", "/dev/null", "-subj", "/CN=a", "-days", String(days)],
    ],
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

interface Scene {
  readonly folder: string;
  readonly clock: FakeClock;
  readonly identity: Identity;
  readonly next: string;
  readonly pins: readonly string[];
  readonly asked: string[];
  readonly used: TransportOptions[];
  readonly warnings: string[];
  /** What the hive answers instead. */
  answer: { readonly status: number; readonly text: string } | undefined;
  start(): Upkeep;
}

async function withAgent(test: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const [own, next, one, two, three] = await Promise.all([90, 90, 9, 9, 9].map(certificate)) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const identity: Identity = {
    agentId: "0b0c0d0e-1234-4abc-8def-001122334455",
    fleetId: "11111111-2222-4333-8444-555555555555",
    agents: "hive.example:9998",
    certificatePem: own,
    keyPem: "-----BEGIN PRIVATE KEY-----\n",
    hivePem: `${one}${two}`,
  };
  writeIdentity(identity, folder);
  const scene: Scene = {
    folder,
    // The next look but one is the first that finds the certificate due.
    clock: new FakeClock(renewalDueMs(own) - UPKEEP_INTERVAL_MS),
    identity,
    next,
    pins: [two, three].map((pem) => certificateDer(pem)?.toBase64() ?? ""),
    asked: [],
    used: [],
    warnings: [],
    answer: undefined,
    start: () =>
      new Upkeep({
        identity,
        folder,
        clock: scene.clock,
        random: () => 0.5,
        onWarning: (message) => void scene.warnings.push(message),
        transport: {
          ask: ({ route }: AskOptions) => {
            scene.asked.push(route);
            const body = route === ROUTES.renew
              ? { certificate: next, pins: scene.pins }
              : { pins: scene.pins };
            return Promise.resolve(scene.answer ?? { status: 200, text: JSON.stringify(body) });
          },
          use: (options) => void scene.used.push(options),
        },
      }),
  };
  await test(scene);
  await Deno.remove(folder, { recursive: true });
}

Deno.test("Upkeep renews a certificate behind two thirds of its life, and not before", async () => {
  await withAgent(async (scene) => {
    const { clock, asked, folder, identity } = scene;
    using upkeep = scene.start();
    await upkeep.idle;
    assertEquals(asked, []);
    clock.advance(UPKEEP_INTERVAL_MS);
    await upkeep.idle;
    assertEquals(asked, [ROUTES.renew]);
    const now = readIdentity(folder);
    assertEquals(now?.certificatePem, scene.next);
    assertMatchKey(now?.keyPem);
    assertNotEquals(now?.keyPem, identity.keyPem);
    assertEquals(scene.used.map(({ certificatePem }) => certificatePem), [scene.next]);
    assertEquals([now?.agentId, now?.agents], [identity.agentId, identity.agents]);
  });
});

Deno.test("Upkeep goes on with what it has when the hive does not renew, and tries again", async () => {
  await withAgent(async (scene) => {
    const { clock, asked, warnings, folder, identity } = scene;
    scene.answer = { status: 429, text: '{"error":{"code":"RATE_LIMITED","message":"Later"}}' };
    using upkeep = scene.start();
    await upkeep.idle;
    clock.advance(UPKEEP_INTERVAL_MS);
    await upkeep.idle;
    assertEquals(warnings, ['Cannot get "/v1/renew" from the hive: Later']);
    assertEquals(readIdentity(folder)?.certificatePem, identity.certificatePem);
    scene.answer = undefined;
    clock.advance(UPKEEP_INTERVAL_MS);
    await upkeep.idle;
    assertEquals([asked.length, scene.used.length], [2, 1]);
  });
});

Deno.test("Upkeep.onPins() takes what the hive pins now, once for each change", async () => {
  await withAgent(async (scene) => {
    const { clock, asked, folder, identity } = scene;
    const ders = (pem: string): Uint8Array<ArrayBuffer>[] =>
      certificatesIn(pem).flatMap((each) => certificateDer(each) ?? []);
    const fresh = await pinSetId(scene.pins.map((der) => Uint8Array.fromBase64(der)));
    using upkeep = scene.start();
    upkeep.onPins(await pinSetId(ders(identity.hivePem)));
    await upkeep.idle;
    assertEquals(asked, []);
    upkeep.onPins(fresh);
    upkeep.onPins(fresh);
    await upkeep.idle;
    assertEquals(asked, [ROUTES.pins]);
    assertEquals(await pinSetId(ders(readIdentity(folder)?.hivePem ?? "")), fresh);
    assertEquals(scene.used.length, 1);
    // A hive that always says something else is not asked all the time.
    upkeep.onPins("0".repeat(64));
    await upkeep.idle;
    assertEquals(asked.length, 1);
    clock.advance(PINS_INTERVAL_MS);
    upkeep.onPins("0".repeat(64));
    await upkeep.idle;
    assertEquals(asked.length, 2);
  });
});

Deno.test("Upkeep takes no answer that is no hive's", async () => {
  await withAgent(async (scene) => {
    const { folder, identity, warnings, clock } = scene;
    const answers = ["", "{}", '{"pins":[]}', '{"pins":["not base64!"]}', "<html>"];
    using upkeep = scene.start();
    for (const text of answers) {
      scene.answer = { status: 200, text };
      clock.advance(PINS_INTERVAL_MS);
      upkeep.onPins("0".repeat(64));
      await upkeep.idle;
    }
    assertEquals([warnings.length, scene.used.length], [answers.length, 0]);
    assertEquals(readIdentity(folder)?.hivePem, identity.hivePem);
  });
});

Deno.test("writeIdentity() leaves the old identity or the new one, wherever it is stopped", async () => {
  await withAgent(({ folder, identity, next }) => {
    const fresh = {
      ...identity,
      certificatePem: next,
      keyPem: "-----BEGIN PRIVATE KEY-----\nnew\n",
    };
    const names = ["agent.key", "agent.pem", "hive.pem"];
    const old = new Map([...names, "agent.json"].map((name) => [name, content(folder, name)]));
    writeIdentity(fresh, folder);
    const now = new Map([...names, "agent.json"].map((name) => [name, content(folder, name)]));
    const put = (name: string, text = ""): void =>
      Deno.writeTextFileSync(`${folder}/${name}`, text);
    // Stopped before agent.json: the new files wait, the old identity counts.
    for (const name of [...names, "agent.json"]) put(name, old.get(name));
    for (const name of names) put(`${name}.next`, now.get(name));
    assertEquals(readIdentity(folder)?.certificatePem, identity.certificatePem);
    // Stopped behind it, with any number of files in their places.
    for (let moved = 0; moved <= names.length; moved++) {
      put("agent.json", now.get("agent.json"));
      names.forEach((name, i) => {
        put(name, (i < moved ? now : old).get(name));
        if (i >= moved) put(`${name}.next`, now.get(name));
      });
      assertEquals(readIdentity(folder)?.certificatePem, next);
      assertEquals(readIdentity(folder)?.keyPem, fresh.keyPem);
    }
    return Promise.resolve();
  });
});

function content(folder: string, name: string): string {
  return Deno.readTextFileSync(`${folder}/${name}`);
}

function assertMatchKey(pem: string | undefined): void {
  assert(pem?.startsWith("-----BEGIN PRIVATE KEY-----\nMI"));
}
