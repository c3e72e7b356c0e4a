import { assert, assertEquals, assertMatch } from "@std/assert";
import { REVOKED_AT_ONCE_MAX } from "../../hive/api/bounds.ts";
import { createHive } from "../../hive/serve.ts";
import { openServerCertificate } from "../../hive/trust/mod.ts";
import { makeRequest } from "../../hive/trust/_test_support.ts";
import { PIN_VARIABLES, pinnedEnvironment } from "../../common/link/mod.ts";
import { startHive } from "../support/hive.ts";
import { type Run, runImmune } from "../support/immune.ts";

const ANYWHERE = "127.0.0.1:0";

/** A hive with its state folder, and the program beside it. */
async function withHive(
  test: (ask: (...args: readonly string[]) => Promise<Run>, state: string) => Promise<void>,
): Promise<void> {
  const state = await Deno.makeTempDir({ prefix: "immune-ca-" });
  const addresses = { agents: ANYWHERE, enroll: ANYWHERE, console: ANYWHERE };
  const hive = await createHive({ state, ...addresses, version: "9.9.9" });
  try {
    const settings = ["--state", state, "--console", hive.addresses.console];
    await test((...args) => runImmune([...args, ...settings]), state);
  } finally {
    await hive.stop();
    await Deno.remove(state, { recursive: true });
  }
}

function json({ code, stdout, stderr }: Run): Record<string, unknown> {
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

Deno.test("immune ca shows, issues, revokes and rotates through the running hive", async () => {
  await withHive(async (ask, state) => {
    const shown = await ask("ca", "show");
    assertEquals(shown.code, 0, shown.stderr);
    assertMatch(shown.stdout, /^Fleet [-0-9a-f]{36}\nWHAT +NAME +UNTIL +SHA-256\nsigns +CN=/);
    const before = json(await ask("ca", "show", "--json"));

    const { request } = await makeRequest();
    await Deno.writeTextFile(`${state}/request.pem`, request);
    const host = ["--host-id", "0e".repeat(32), "--host-name", "gpu-9"];
    const file = ["--request", `${state}/request.pem`];
    const issued = json(await ask("ca", "issue", ...file, ...host, "--json"));
    assertMatch(String(issued["certificate"]), /^-----BEGIN CERTIFICATE-----/);
    const agentId = String(issued["agentId"]);
    const listed = json(await ask("agents", "list", "--json"));
    assertEquals([listed["id"], listed["revoked"]], [agentId, false]);
    const nobody = crypto.randomUUID();
    const revoked = await ask("ca", "revoke", agentId, nobody);
    assertEquals([revoked.code, revoked.stdout], [1, `Revoked ${agentId}\n`]);
    assertMatch(revoked.stderr, new RegExp(`"${nobody}".*\\[NOT_FOUND\\]`));
    assertEquals(json(await ask("agents", "list", "--json"))["revoked"], true);

    const early = await ask("ca", "rotate", "--server");
    assertEquals([early.code, early.stdout], [1, ""]);
    assertMatch(early.stderr, /\[ROTATION_TOO_EARLY\]/);
    const server = json(await ask("ca", "rotate", "--server", "--force", "--json"));
    assertEquals(server["server"], before["successor"]);
    const authority = json(await ask("ca", "rotate", "--overlap", "5", "--json"));
    assertEquals((authority["authorities"] as unknown[]).length, 2);
    const wrong = await ask("ca", "rotate", "--overlap", "soon");
    assertEquals(wrong.code, 2);
  });
});

Deno.test("a certificate signed by hand is installed, delivers, and fits no other key", async () => {
  await using running = await startHive();
  const { state, flags, hive } = running;
  const host = `${state}/host`;
  await Deno.mkdir(host, { mode: 0o700 });
  const own = ["--state", host, "--agents", hive.addresses.agents];
  const asked = await runImmune(["enroll", "--request", ...own]);
  assertEquals(asked.code, 0, asked.stderr);
  const [, line = ""] = /(immune ca issue .+)\n/.exec(asked.stderr) ?? [];
  await Deno.writeTextFile(`${state}/request.pem`, asked.stdout);
  const issue = line.replace("immune ", "").replace("FILE", `${state}/request.pem`).split(" ");
  const issued = await runImmune([...issue, ...flags]);
  assertEquals(issued.code, 0, issued.stderr);
  const file = `${state}/issued.json`;
  await Deno.writeTextFile(file, issued.stdout);
  const done = await runImmune(["enroll", "--issued", file, ...own]);
  assertEquals(done.code, 0, done.stderr);
  assertMatch(done.stdout, new RegExp(`^Enrolled as ${JSON.parse(issued.stdout).agentId}`));
  const event = { Image: "/usr/bin/id", CommandLine: "id" };
  await Deno.writeTextFile(`${state}/events.ndjson`, JSON.stringify(event));
  const options = { environment: pinnedEnvironment(), without: PIN_VARIABLES };
  const deliver = ["replay", `${state}/events.ndjson`, "--deliver", "--state", host];
  const delivered = await runImmune(deliver, options);
  assertEquals(delivered.code, 0, delivered.stderr);
  const twice = await runImmune(["enroll", "--issued", file, ...own]);
  assertMatch(twice.stderr, /this host is agent .*\[ENROLL_REFUSED\]/);
  // Another host's key, though the text is the same.
  const other = ["--state", `${state}/other`];
  await runImmune(["enroll", "--request", ...other]);
  const foreign = await runImmune(["enroll", "--issued", file, ...other]);
  assertMatch(foreign.stderr, /not for the key .*\[ENROLL_REFUSED\]/);
  const nothing = await runImmune(["enroll", "--issued", `${state}/request.pem`, ...other]);
  assertMatch(nothing.stderr, /\[INPUT_MALFORMED\]/);
  assertEquals((await runImmune(["enroll"])).code, 2);
});

Deno.test("immune agents makes tokens, withdraws them, and decides on who waits", async () => {
  await withHive(async (ask) => {
    const options = ["--uses", "3", "--tag", "lab", "--approval", "--json"];
    const made = json(await ask("agents", "token", ...options));
    assertMatch(String(made["token"]), /^[\w-]+$/);
    const plain = await ask("agents", "token", "--hours", "2");
    assertMatch(plain.stdout, /^[\w-]+\n$/);
    assertMatch(plain.stderr, /Good until .+; "immune agents withdraw [0-9a-f]{64}" ends it/);
    const id = String(made["id"]);
    assertEquals((await ask("agents", "withdraw", id)).stdout, `Withdrawn ${id}\n`);
    assertMatch((await ask("agents", "withdraw", id)).stderr, /\[NOT_FOUND\]/);
    assertEquals((await ask("agents", "pending", "--json")).stdout, "");
    const nobody = await ask("agents", "approve", crypto.randomUUID());
    assertEquals(nobody.code, 1);
    assertMatch(nobody.stderr, /\[NOT_FOUND\]/);
  });
});

Deno.test("immune ca init and import work on the folder, and not while a hive runs", async () => {
  const state = await Deno.makeTempDir({ prefix: "immune-ca-" });
  try {
    const settings = ["--state", state];
    const made = json(await runImmune(["ca", "init", ...settings, "--json"]));
    assertEquals(json(await runImmune(["ca", "init", ...settings, "--json"])), made);
    const { fingerprint } = await openServerCertificate(`${state}/hive`);
    assertEquals(made["server"], fingerprint);
    for (const name of ["ca.key", "ca.pem", "server.key", "server.next.key", "fleet"]) {
      assertEquals((Deno.statSync(`${state}/hive/${name}`).mode ?? 0) & 0o777, 0o600);
    }

    const given = ["--certificate", `${state}/own.pem`, "--key", `${state}/own.key`];
    const { success } = await new Deno.Command("openssl", {
      args: [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
        ...["-keyout", `${state}/own.key`, "-out", `${state}/own.pem`, "-days", "400"],
        ...["-subj", "/CN=own", "-addext", "keyUsage=keyCertSign"],
      ],
      stderr: "null",
    }).output();
    assert(success);
    const early = await runImmune(["ca", "import", ...given, ...settings, "--json"]);
    const imported = json(early);
    assertEquals([imported["constraint"], imported["fleetId"]], ["wider", made["fleetId"]]);
    assertEquals(Deno.readTextFileSync(`${state}/hive/ca.key`), keyOf(`${state}/own.key`));

    const addresses = { agents: ANYWHERE, enroll: ANYWHERE, console: ANYWHERE };
    const hive = await createHive({ state, ...addresses, version: "9.9.9" });
    const locked = await runImmune(["ca", "import", ...given, ...settings]);
    await hive.stop();
    assertEquals(locked.code, 1);
    assertMatch(locked.stderr, /\[STATE_LOCKED\]/);
  } finally {
    await Deno.remove(state, { recursive: true });
  }
});

function keyOf(path: string): string {
  return `${Deno.readTextFileSync(path).trim()}\n`;
}

Deno.test("ca revoke: what was asked for is told though the hive refuses what is behind it", async () => {
  const state = await Deno.makeTempDir();
  await Deno.writeTextFile(`${state}/operator.token`, `${"ab".repeat(32)}\n`, { mode: 0o600 });
  const request = crypto.randomUUID();
  let asked = 0;
  const refusal = { error: { code: "RATE_LIMITED", message: "Cannot ask for more" } };
  const hive = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () =>
      asked++ === 0
        ? Response.json({ request }, { status: 202 })
        : Response.json(refusal, { status: 429 }),
  );
  try {
    const agents = Array.from({ length: REVOKED_AT_ONCE_MAX + 1 }, () => crypto.randomUUID());
    const settings = ["--state", state, "--console", `127.0.0.1:${hive.addr.port}`];
    for (const flags of [[], ["--json"]]) {
      asked = 0;
      const run = await runImmune(["ca", "revoke", ...agents, ...flags, ...settings]);
      assertEquals([run.code, asked], [1, 2], run.stderr);
      assertMatch(run.stdout, new RegExp(request));
      assertMatch(run.stderr, /RATE_LIMITED/);
    }
  } finally {
    await hive.shutdown();
    await Deno.remove(state, { recursive: true });
  }
});
