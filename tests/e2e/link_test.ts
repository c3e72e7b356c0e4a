import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { enroll } from "../../agent/enrol/enroll.ts";
import { readIdentity, writeIdentity } from "../../agent/enrol/identity.ts";
import { FakeClock, ImmuneError } from "../../common/config/mod.ts";
import {
  certificateDer,
  certificatesIn,
  decodeToken,
  encodeToken,
  fingerprint,
  pinnedEnvironment,
} from "../../common/link/mod.ts";
import {
  createEnrolment,
  type EnrolmentListener,
  makeToken,
  serveEnrolment,
} from "../../hive/fleet/mod.ts";
import { makeRequest } from "../../hive/trust/_test_support.ts";
import { Authority, DAY_MS, openServerCertificate } from "../../hive/trust/mod.ts";
import { Child, type Line } from "../chaos/child.ts";
import { TestHive } from "../support/intake.ts";
import { freePort } from "../support/ports.ts";

/** A hive with its enrolment listener, and the state folder of an agent. */
class Scene implements AsyncDisposable {
  readonly hive: TestHive;
  readonly state: string;
  readonly enrolment: EnrolmentListener;
  /** Requests that reached the enrolment listener. */
  requests = 0;
  readonly #children: Child[] = [];

  private constructor(hive: TestHive, state: string) {
    this.hive = hive;
    this.state = state;
    const { app } = createEnrolment({ store: hive.store, authority: hive.authority });
    this.enrolment = serveEnrolment((request) => {
      this.requests++;
      return app.fetch(request);
    }, {
      hostname: "127.0.0.1",
      port: 0,
      certificatePem: hive.server.certificatePem,
      keyPem: hive.server.keyPem,
    });
  }

  static async open(): Promise<Scene> {
    const folder = await Deno.makeTempDir({ prefix: "immune-link-" });
    // Another one may take its place.
    return new Scene(await TestHive.start({ port: freePort() }), folder);
  }

  async token(): Promise<string> {
    const { text } = await makeToken(this.hive.store, {
      enroll: `127.0.0.1:${this.enrolment.port}`,
      agents: `127.0.0.1:${this.hive.intake.port}`,
      pins: this.hive.server.pins,
    });
    return text;
  }

  /** Enrols in a process of its own, which trusts the token's certificate alone. */
  async enrol(token: string): Promise<Line> {
    const child = this.#child(["enroll", this.state], { input: token });
    await child.ended;
    return child.lines.at(-1) ?? {};
  }

  /** An agent whose journal records flow into, until the scene ends. */
  run(...flags: readonly string[]): Child {
    return this.#child(["run", this.state, "1", ...flags]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => child.kill()));
    await this.enrolment.stop();
    await this.hive[Symbol.asyncDispose]();
    await Deno.remove(this.state, { recursive: true });
  }

  #child(args: readonly string[], options: { readonly input?: string } = {}): Child {
    const environment = pinnedEnvironment(Deno.env.toObject());
    const child = new Child("./agent.ts", { args, environment, ...options });
    this.#children.push(child);
    return child;
  }
}

function modeOf(path: string): string {
  return ((Deno.statSync(path).mode ?? 0) & 0o777).toString(8);
}

Deno.test("enroll() makes a key that stays, has it signed, and keeps all for the link", async () => {
  await using scene = await Scene.open();
  const token = await scene.token();
  const line = await scene.enrol(token);
  const folder = `${scene.state}/agent`;
  const identity = readIdentity(folder);
  assert(identity !== undefined);
  assertEquals(line["enrolled"], identity.agentId);
  assertEquals(identity.agents, `127.0.0.1:${scene.hive.intake.port}`);
  for (const name of ["agent.key", "agent.pem", "agent.json", "hive.pem"]) {
    assertEquals(modeOf(`${folder}/${name}`), "600");
  }
  assertEquals(modeOf(folder), "700");
  assertMatch(identity.keyPem, /^-----BEGIN PRIVATE KEY-----\n/);
  assertEquals(
    await fingerprint(Uint8Array.fromBase64(decodeToken(token).pins[0] ?? "")),
    scene.hive.server.fingerprint,
  );
  const [agent] = await scene.hive.store.agents();
  assertEquals([agent?.id, agent?.hostName], [identity.agentId, "chaos"]);
  assertEquals(identity.fleetId, scene.hive.authority.fleetId);
  // One for the challenge, and one with the work.
  assertEquals(scene.requests, 2);
});

Deno.test("enroll() says that a token was used, and does not enrol a host twice", async () => {
  await using scene = await Scene.open();
  const token = await scene.token();
  await scene.enrol(token);
  const { code, message } = (await scene.enrol(token))["failed"] as Record<string, string>;
  assertEquals(code, "ENROLL_REFUSED");
  assertMatch(message ?? "", /^Cannot enrol: this host is agent "[-0-9a-f]{36}" of the hive at/);
  assertEquals(scene.requests, 2);

  const before = readIdentity(`${scene.state}/agent`);
  assert(before !== undefined);
  await Deno.remove(`${scene.state}/agent/agent.json`);
  assertEquals(readIdentity(`${scene.state}/agent`), undefined);
  const used = (await scene.enrol(token))["failed"] as Record<string, string>;
  assertEquals(used["code"], "TOKEN_INVALID");
  assertEquals(scene.requests, 4);
  assertEquals(readIdentity(`${scene.state}/agent`), undefined);
});

Deno.test("enroll() sends nothing from a process that would trust others too", async () => {
  await using scene = await Scene.open();
  const error = await assertRejects(
    async () =>
      await enroll({
        token: await scene.token(),
        state: scene.state,
        hostId: "0c".repeat(32),
        hostName: "here",
      }),
    ImmuneError,
  );
  assertEquals(error.code, "HIVE_UNREACHABLE");
  assertMatch(error.message, /variable "DENO_TLS_CA_STORE" must be "system"/);
  assertEquals(scene.requests, 0);
});

Deno.test("enroll() gives its secret to no hive with another certificate", async () => {
  await using scene = await Scene.open();
  const folder = await Deno.makeTempDir();
  const other = await openServerCertificate(folder);
  await Deno.remove(folder, { recursive: true });
  const token = decodeToken(await scene.token());
  const line = await scene.enrol(encodeToken({ ...token, pins: [other.der.toBase64()] }));
  const { code, message } = line["failed"] as Record<string, string>;
  assertEquals(code, "PIN_MISMATCH");
  assertMatch(message ?? "", /invalid peer certificate/);
  assertEquals(scene.requests, 0);
});

Deno.test("readIdentity() takes no files of two enrolments, and says which one is wrong", async () => {
  await using scene = await Scene.open();
  await scene.enrol(await scene.token());
  const folder = `${scene.state}/agent`;
  await Deno.writeTextFile(`${folder}/agent.key`, "-----BEGIN PRIVATE KEY-----\n");
  let message = "";
  try {
    readIdentity(folder);
  } catch (error) {
    message = error instanceof ImmuneError ? `${error.code}: ${error.message}` : "";
  }
  assertEquals(
    message,
    `STATE_UNUSABLE: Cannot use identity in "${folder}": "${folder}/agent.key" is not the file of ` +
      "this enrolment; remove agent.json and enrol again",
  );
});

Deno.test("AgentLink delivers to the hive over mutual TLS until its agent is revoked", async () => {
  await using scene = await Scene.open();
  const { enrolled } = await scene.enrol(await scene.token());
  const agent = scene.run();
  assert(await agent.line("acknowledged") !== undefined);
  const [ledger] = await scene.hive.store.ledgers();
  assert((ledger?.stored ?? 0) > 0);
  assertEquals(await scene.hive.store.revokeAgent(String(enrolled)), true);
  const { code, message } = (await agent.line("linkEnded"))?.["linkEnded"] as Record<
    string,
    string
  >;
  assertEquals(code, "CERTIFICATE_REFUSED");
  assertMatch(message ?? "", /^The hive takes nothing more: CERTIFICATE_REFUSED: /);
  // The journal goes on without the hive.
  const written = agent.lines.filter((line) => "first" in line).length;
  await agent.until((lines) => lines.filter((line) => "first" in line).length > written + 5);
});

Deno.test("AgentLink drains its journal and ends; nothing is twice in the store", async () => {
  await using scene = await Scene.open();
  await scene.enrol(await scene.token());
  const agent = scene.run("--drain");
  const drained = (await agent.line("drained"))?.["drained"] as Record<string, number>;
  assertEquals((await agent.ended).code, 0);
  const [ledger] = await scene.hive.store.ledgers();
  assertEquals([ledger?.position, ledger?.stored], [drained["last"], drained["last"]]);
  assertEquals(drained["acknowledged"], drained["last"]);
});

Deno.test("AgentLink gives nothing to a hive with another certificate", async () => {
  await using scene = await Scene.open();
  await scene.enrol(await scene.token());
  const port = scene.hive.intake.port;
  await scene.hive.intake.stop();
  await using impostor = await TestHive.start({ port });
  const agent = scene.run();
  const [failed] = await agent.until((lines) => lines.filter(isError).length > 0)
    .then((lines) => lines.filter(isError));
  const status = failed?.["status"] as { reason: string };
  assertMatch(status.reason, /^PIN_MISMATCH: .+invalid peer certificate/);
  assertEquals((await impostor.counters()).records, 0);
});

Deno.test("AgentLink goes on through a rotation of the hive's certificate, in the same process", async () => {
  await using scene = await Scene.open();
  await scene.enrol(await scene.token());
  const folder = `${scene.state}/agent`;
  const before = readIdentity(folder)?.hivePem;
  const agent = scene.run();
  await agent.line("acknowledged");
  await scene.hive.trust.rotateServer(true);
  await agent.until(() => readIdentity(folder)?.hivePem !== before);
  const { certificatePem, successor } = scene.hive.server;
  assertEquals(certificatesIn(readIdentity(folder)?.hivePem ?? "").map(certificateDer), [
    certificateDer(certificatePem),
    certificateDer(successor.certificatePem),
  ]);
  // Its connections are new ones now, to a hive that shows what was its successor.
  const { records } = await scene.hive.store.stats();
  const known = agent.lines.length;
  await agent.until((lines) =>
    lines.slice(known).filter((line) => "acknowledged" in line).length > 3
  );
  assert((await scene.hive.store.stats()).records > records);
  assertEquals(agent.lines.filter(isError), []);
});

Deno.test("AgentLink renews a certificate that is due, and the one before is worthless", async () => {
  await using scene = await Scene.open();
  await scene.enrol(await scene.token());
  const folder = `${scene.state}/agent`;
  const enrolled = readIdentity(folder);
  assert(enrolled !== undefined);
  // A certificate of 80 days ago, in the place of the one that was just made.
  const then = await Authority.open(scene.hive.folder, {
    clock: new FakeClock(Date.now() - 80 * DAY_MS),
  });
  const { keyPem, request } = await makeRequest();
  const { agentId } = enrolled;
  const { pem, fingerprint: old } = await then.sign(request, { agentId });
  const by = await fingerprint(certificateDer(enrolled.certificatePem) ?? new Uint8Array());
  await scene.hive.store.renewCertificate({ fingerprint: old, by, untilMs: Date.now() + DAY_MS });
  writeIdentity({ ...enrolled, certificatePem: pem, keyPem }, folder);

  const agent = scene.run();
  await agent.until(() => readIdentity(folder)?.certificatePem !== pem);
  const now = readIdentity(folder);
  assertNotEquals(now?.keyPem, keyPem);
  const known = agent.lines.length;
  await agent.until((lines) =>
    lines.slice(known).filter((line) => "acknowledged" in line).length > 3
  );
  const next = await fingerprint(certificateDer(now?.certificatePem ?? "") ?? new Uint8Array());
  const rows = await Promise.all([old, next].map((each) => scene.hive.store.certificate(each)));
  assertEquals(rows.map((row) => [row?.agentId, row?.revoked]), [[agentId, true], [
    agentId,
    false,
  ]]);
});

function isError(line: Line): boolean {
  return (line["status"] as { state: string } | undefined)?.state === "ERROR";
}
