import { assert, assertEquals } from "@std/assert";
import { openHiveFolder, STORE_FILE } from "../../hive/folder.ts";
import { SqliteStore } from "../../hive/store/mod.ts";
import { startHive } from "../support/hive.ts";
import { type Run, runImmune } from "../support/immune.ts";

Deno.test("users, tokens and audit: from the first account to a log that was touched", async () => {
  const state = await Deno.makeTempDir();
  const folder = `${state}/hive/audit`;
  let head = "";
  {
    await using running = await startHive({ state });
    const run = (...args: string[]): Promise<Run> => runImmune([...args, ...running.flags]);
    const added = await run("users", "add", "ada", "--role", "analyst");
    assertEquals([added.code, added.stderr], [0, ""]);
    const link = /http:\S+/.exec(added.stdout)?.[0] ?? "";
    const opened = await fetch(link, { redirect: "manual" });
    await opened.body?.cancel();
    assertEquals(opened.status, 303);

    const role = await run("users", "role", "ada", "responder", "--json");
    assertEquals(JSON.parse(role.stdout), { name: "ada", role: "responder" });
    const made = await run("tokens", "add", "nightly", "--user", "ada", "--role", "analyst");
    assertEquals(made.code, 0, made.stderr);
    const file = `${state}/ada.token`;
    await Deno.writeTextFile(file, made.stdout, { mode: 0o600 });
    const own = await run("audit", "list", "--json", "--action", "user", "--api-token-file", file);
    const entries = own.stdout.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(entries.map(({ action, object }) => [action, object]), [
      ["user.role", "ada"],
      ["user.add", "ada"],
    ]);
    const more = await run("users", "list", "--api-token-file", file);
    assertEquals(more.code, 1);
    assert(more.stderr.includes("[FORBIDDEN]"), more.stderr);

    assert((await run("users", "disable", "ada")).stdout.includes("disabled"));
    const shut = await run("status", "--api-token-file", file);
    assert(shut.stderr.includes("[AUTH_REQUIRED]"), shut.stderr);
    const list = await run("users", "list");
    assert(/ada +responder +disabled +nothing yet/.test(list.stdout), list.stdout);

    const id = JSON.parse((await run("tokens", "list", "--json")).stdout).id;
    const revoked = await run("tokens", "revoke", id, "--json");
    assertEquals(JSON.parse(revoked.stdout), { id, revoked: true });
    const whole = await run("audit", "verify");
    assertEquals(whole.code, 0, whole.stdout);
    head = /Head (\S+)/.exec(whole.stdout)?.[1] ?? "";
    assert((await run("audit", "list")).stdout.includes("token.revoke"));
  }
  const name = [...Deno.readDirSync(folder)].find((each) => each.name.endsWith(".ndjson"))?.name;
  const path = `${folder}/${name}`;
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace('"to":"responder"', '"to":"admin"'));
  const touched = await runImmune(["audit", "verify", "--log", folder, "--head", head]);
  assertEquals(touched.code, 1);
  assert(touched.stdout.includes("BROKEN: Entry 3 was changed"), touched.stdout);
  await Deno.remove(state, { recursive: true });
});

/** Id of an agent that the hive of a state folder knows. */
async function withAgent(state: string): Promise<string> {
  const store = new SqliteStore(`${openHiveFolder(state)}/${STORE_FILE}`);
  const id = crypto.randomUUID();
  await store.addAgent({ id, hostId: "ab".repeat(32), hostName: "gpu-01" }, "99".repeat(32));
  await store.close();
  return id;
}

Deno.test("ca, directives and approvals: what takes two people is done when the other approves", async () => {
  const state = await Deno.makeTempDir();
  const agent = await withAgent(state);
  await using running = await startHive({
    state,
    twoPerson: ["user.role", "agent.revoke", "directive.send"],
  });
  const run = (...args: string[]): Promise<Run> => runImmune([...args, ...running.flags]);
  const tokenOf = async (name: string): Promise<string[]> => {
    await run("users", "add", name, "--role", "admin");
    const made = await run("tokens", "add", "ci", "--user", name, "--role", "admin");
    const file = `${state}/${name}.token`;
    await Deno.writeTextFile(file, made.stdout, { mode: 0o600 });
    return ["--api-token-file", file];
  };
  const [ada, bob] = [await tokenOf("ada"), await tokenOf("bob")];
  const asked = await run("directives", "rules", "--own", "--reason", "a clean slate", ...ada);
  assertEquals([asked.code, asked.stderr], [0, ""]);
  const id = /approve ([0-9a-f-]{36})/.exec(asked.stdout)?.[1] ?? "";
  assert(asked.stdout.startsWith("Not done yet"), asked.stdout);
  const shown = await run("approvals", "show", id, ...bob);
  for (const word of ["directive.send", "ada", "a clean slate", "every host", "each host's own"]) {
    assert(shown.stdout.includes(word), shown.stdout);
  }
  assertEquals((await run("directives", "list")).stdout.includes("rules"), false);
  const own = await run("approvals", "approve", id, ...ada);
  assert(own.stderr.includes("[FORBIDDEN]"), own.stderr);
  const approved = await run("approvals", "approve", id, "--json", ...bob);
  const { outcome: _outcome, ...decided } = JSON.parse(approved.stdout);
  assertEquals(decided, { id, state: "done", missing: 0 }, approved.stderr);
  assert(/rules +every host .* ada and bob/.test((await run("directives", "list")).stdout));
  const rules = `${state}/rules`;
  await Deno.mkdir(rules);
  await Deno.writeTextFile(`${rules}/a.yml`, "title: A rule to be read\n");
  const order = await run("directives", "rules", "--pack", rules, "--json", ...ada);
  const seen = await run("approvals", "show", JSON.parse(order.stdout).request);
  const pack = /^pack: ([0-9a-f]{64})$/m.exec(seen.stdout)?.[1] ?? "";
  const read = await run("directives", "pack", pack);
  assertEquals(read.stdout, "# a.yml\ntitle: A rule to be read\n", seen.stdout + read.stderr);
  const policy = ["directives", "policy", "--open", "rules", "--wake-us", "500", ...ada];
  const opens = await run(
    "approvals",
    "show",
    JSON.parse((await run(...policy, "--json")).stdout).request,
  );
  assert(/^opens: rules\nwakes: every 500 µs$/m.test(opens.stdout), opens.stdout + opens.stderr);
  const unknown = await run("ca", "revoke", crypto.randomUUID(), ...ada);
  assert(unknown.stderr.includes("[NOT_FOUND]"), unknown.stderr);
  const revoked = await run("ca", "revoke", agent, "--json", ...ada);
  assertEquals(JSON.parse(revoked.stdout).requests.length, 1, revoked.stderr);
  const role = await run("users", "role", "bob", "viewer", ...ada);
  assert(role.stdout.startsWith("Not done yet"), role.stdout);
  await Deno.remove(state, { recursive: true });
});

Deno.test("users and tokens say what is wrong with how they are called", async () => {
  for (
    const args of [
      ["users", "add", "ada"],
      ["users", "add", "ada", "--role", "root"],
      ["users", "role", "ada", "king"],
      ["tokens", "revoke"],
      ["directives", "policy", "--open", "all"],
      ["directives", "policy", "--wake-us", "soon"],
      ["audit", "verify", "--head", "x"],
      ["audit", "list", "--limit", "0"],
    ]
  ) {
    const { code, stderr } = await runImmune(args);
    assertEquals([args, code], [args, 2]);
    assert(stderr.startsWith("error: "), stderr);
  }
});
