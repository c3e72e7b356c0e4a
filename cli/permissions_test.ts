import { assert, assertEquals } from "@std/assert";
import { permissionFlags, startVariables } from "./permissions.ts";
import { VERBS } from "./verbs/mod.ts";

const AROUND = { root: "/opt/immune/", environment: { HOME: "/nonexistent" } };

function flag(args: readonly string[], name: string): string | undefined {
  return permissionFlags(args, AROUND).find((each) => each.split("=")[0] === name);
}

Deno.test("permissionFlags() lets watch write its state folder and nothing else", () => {
  assertEquals(flag(["watch", "--state", "/srv/s"], "--allow-write"), "--allow-write=/srv/s");
  assertEquals(flag(["watch", "--state=/srv/s"], "--allow-write"), "--allow-write=/srv/s");
  assertEquals(
    flag(["watch"], "--allow-ffi"),
    "--allow-ffi=/opt/immune/out/libimmune_sensor.so",
  );
});

Deno.test("permissionFlags() gives replay reading alone", () => {
  const flags = permissionFlags(["replay", "x.ndjson"], AROUND);
  assert(flags.includes("--allow-read"));
  assert(!flags.some((each) => /write|ffi|run|net|all$/.test(each.split("=")[0] ?? "")));
});

Deno.test("permissionFlags() gives replay that delivers its state folder and its hive", () => {
  const args = ["replay", "x", "--deliver", "--state", "/srv/s", "--agents", "10.0.0.1:9"];
  assertEquals(flag(args, "--allow-write"), "--allow-write=/srv/s");
  assertEquals(flag(args, "--allow-net"), "--allow-net=10.0.0.1:9");
  assertEquals(flag(args, "--allow-ffi"), undefined);
  assertEquals(startVariables(args)["SSL_CERT_FILE"], "/dev/null");
});

Deno.test("permissionFlags() gives help and version no files", () => {
  for (const args of [["--help"], ["watch", "--help"], ["version"]]) {
    assertEquals(flag(args, "--allow-read"), undefined);
  }
});

Deno.test("permissionFlags() gives rules what is named to read, and to write only when told", () => {
  const read = flag(["rules", "check", "/srv/a", "/srv/b", "--json"], "--allow-read") ?? "";
  for (const path of ["/srv/a", "/srv/b", "/opt/immune/"]) {
    assert(read.split("=")[1]?.split(",").includes(path), read);
  }
  assertEquals(flag(["rules", "check", "/srv/a", "--into", "/srv/c"], "--allow-write"), undefined);
  const into = ["rules", "import", "/srv/a", "--into", "/srv/c"];
  assertEquals(flag(into, "--allow-write"), "--allow-write=/srv/c");
  const layer = ["rules", "coverage", "--navigator=/srv/l.json"];
  assertEquals(flag(layer, "--allow-write"), "--allow-write=/srv/l.json");
});

Deno.test("permissionFlags() lets indicators be changed in their folder, and read elsewhere", () => {
  const state = ["--state", "/srv/s"];
  for (const action of ["import", "expire"]) {
    const args = ["indicators", action, "/srv/feed.csv", ...state];
    assertEquals(flag(args, "--allow-write"), "--allow-write=/srv/s/agent/indicators");
    assert(flag(args, "--allow-read")?.split("=")[1]?.split(",").includes("/srv/feed.csv"));
  }
  const flags = permissionFlags(["indicators", "list", ...state], AROUND);
  assert(!flags.some((each) => /write|ffi|run|net|all$/.test(each.split("=")[0] ?? "")));
});

Deno.test("permissionFlags() lets two verbs list the environment, and no other", () => {
  for (const verb of Object.keys(VERBS)) {
    const all = flag([verb], "--allow-env") === "--allow-env";
    assertEquals([verb, all], [verb, verb === "config" || verb === "doctor"]);
  }
  assert(flag(["config", "--help"], "--allow-env")?.startsWith("--allow-env=IMMUNE_*,"));
});

Deno.test("permissionFlags() never gives everything", () => {
  for (const verb of ["watch", "events", "doctor", "replay", "rules", "config", "version"]) {
    const flags = permissionFlags([verb], AROUND);
    assert(!flags.includes("-A") && !flags.includes("--allow-all"));
    assert(!flags.some((each) => each.startsWith("--allow-run") || each === "--allow-write"));
  }
});

Deno.test("permissionFlags() reads above a name with a comma, which Deno cannot list", () => {
  const read = flag(["watch", "--rules", "/srv/a,b/rules"], "--allow-read") ?? "";
  assert(read.split("=")[1]?.split(",").includes("/srv"), read);
  assert(!read.includes(",,") && !read.includes("b/rules"), read);
});

Deno.test("permissionFlags() takes relative paths from the caller's folder", () => {
  const args = ["watch", "--state", "s", "--rules=r", "--config", "c.toml", "--btf", "b"];
  const flags = permissionFlags(args, { ...AROUND, cwd: "/home/me" });
  assert(flags.includes("--allow-write=/home/me/s"));
  const read = flags.find((each) => each.startsWith("--allow-read="));
  for (const path of ["s", "r", "c.toml", "b"]) assert(read?.includes(`/home/me/${path}`), read);
});

Deno.test("permissionFlags() lets settings that do not hold be read, to say why", () => {
  const environment = { ...AROUND.environment, IMMUNE_JSON: "banana", IMMUNE_STATE: "/srv/s" };
  const flags = permissionFlags(["config", "show"], { ...AROUND, environment });
  assert(flags.some((each) => each.startsWith("--allow-read=") && each.includes("/srv/s")));
});

Deno.test("permissionFlags() gives the hive its own folder and addresses, no FFI, no programs", () => {
  const flags = permissionFlags(
    ["hive", "--state", "/srv/s", "--console", "127.0.0.1:1234"],
    AROUND,
  );
  const find = (name: string): string | undefined =>
    flags.find((each) => each.split("=")[0] === name);
  assertEquals(find("--allow-net"), "--allow-net=127.0.0.1:1234,127.0.0.1:9998,127.0.0.1:9997");
  assertEquals(find("--allow-write"), "--allow-write=/srv/s/hive,/srv/s/operator.token");
  assertEquals([find("--allow-ffi"), find("--allow-run")], [undefined, undefined]);
  const read = find("--allow-read")?.split("=")[1]?.split(",") ?? [];
  assert(read.includes("/srv/s/program/rules.json") && !read.includes("/srv/s"), read.join());
});

Deno.test("permissionFlags() lets the agent reach its hive alone, and start nothing", () => {
  const flags = permissionFlags(["agent", "--state", "/srv/none"], AROUND);
  assert(flags.includes("--allow-net=127.0.0.1:9998"));
  assert(!flags.some((each) => each.startsWith("--allow-run")));
});

/** What a verb may read. */
function readBy(args: readonly string[]): readonly string[] {
  return flag(args, "--allow-read")?.split("=")[1]?.split(",") ?? [];
}

Deno.test("permissionFlags() gives what talks to the hive its tokens, and no state beside them", () => {
  const state = ["--state", "/srv/s"];
  const own = ["/etc/immune/immune.toml", "/srv/s/immune.toml", "/srv/s/operator.token"];
  assertEquals(readBy(["alerts", ...state]), own);
  assertEquals(readBy(["directives", "list", ...state]), own);
  assertEquals(readBy(["kill-switch", "fire", "--share", "/media/a", ...state]), [
    ...own,
    "/media/a",
  ]);
  assertEquals(readBy(["audit", "verify", ...state]), [...own, "/srv/s/hive/audit"]);
  assertEquals(readBy(["status", ...state]), [
    ...own,
    "/srv/s/agent/link.json",
    "/srv/s/agent/command.json",
    "/srv/s/agent/logs.json",
    "/srv/s/agent/sensor.json",
  ]);
});

Deno.test("permissionFlags() lets a word to the herd read the agent's identity and reach its hive", () => {
  const words = ["herd", "vouch", crypto.randomUUID(), "--state", "/srv/none"];
  const flags = permissionFlags(words, AROUND);
  assert(flags.includes("--allow-net=127.0.0.1:9998"), flags.join(" "));
  const read = readBy(words);
  assert(
    read.includes("/srv/none/agent/agent.key") && read.includes("/srv/none/agent/agent.pem.next"),
  );
  assert(!read.includes("/srv/none") && !read.includes("/srv/none/agent"), read.join());
  assert(!flags.some((each) => /^--allow-(write|run|ffi)/.test(each)));
  assertEquals(startVariables(words)["SSL_CERT_FILE"], "/dev/null");
  // An operator's act goes to the console's port, as before.
  assert(permissionFlags(["herd", "list"], AROUND).includes("--allow-net=127.0.0.1:9999"));
});

Deno.test("permissionFlags() takes what a flag is given for no action", () => {
  const rotate = flag(["ca", "rotate"], "--allow-net");
  assertEquals(rotate, "--allow-net=127.0.0.1:9999");
  for (const more of [["--reason", "init"], ["--reason", "import"], ["--state", "init"]]) {
    assertEquals(flag(["ca", "rotate", ...more], "--allow-net"), rotate, more.join(" "));
  }
  const init = ["ca", "init", "--state", "/srv/s"];
  assertEquals(flag(init, "--allow-write"), "--allow-write=/srv/s/hive");
  assertEquals(flag(init, "--allow-net"), undefined);
  // An agent's own settings may come before what it is to do.
  const looks = ["agent", "--state", "/srv/s", "capabilities"];
  assertEquals([flag(looks, "--allow-net"), startVariables(looks)], [undefined, {}]);
  const runs = ["agent", "--state", "capabilities"];
  assert(flag(runs, "--allow-net") !== undefined);
  assertEquals(startVariables(runs)["SSL_CERT_FILE"], "/dev/null");
  assertEquals(flag(["herd", "list", "--reason", "vouch"], "--allow-net"), rotate);
});

Deno.test("startVariables() has the agent trust nobody by itself, and no other verb", () => {
  assertEquals(startVariables(["agent", "--state", "/srv/s"]), {
    DENO_TLS_CA_STORE: "system",
    SSL_CERT_FILE: "/dev/null",
  });
  assertEquals(startVariables(["watch", "--state", "/srv/s"]), {});
  assertEquals(startVariables(["herd", "list"]), {});
});

Deno.test("permissionFlags() lets what delivers reach its proxy, wherever that is named", () => {
  const proxy = ["--proxy", "http://127.0.0.1:3128", "--state", "/srv/none"];
  for (const verb of [["agent"], ["replay", "x", "--deliver"], ["herd", "vouch", "x"]]) {
    const net = "--allow-net=127.0.0.1:9998,127.0.0.1:3128";
    assertEquals(flag([...verb, ...proxy], "--allow-net"), net, verb.join(" "));
  }
});

Deno.test("permissionFlags() gives words that every object knows no rights", () => {
  for (const verb of ["constructor", "toString", "__proto__", "hasOwnProperty", "bogus"]) {
    assertEquals(permissionFlags([verb], AROUND), permissionFlags(["--help"], AROUND), verb);
    assertEquals(startVariables([verb]), {});
  }
});

Deno.test("permissionFlags() lets uninstall write its state, and load the library to look", () => {
  const args = ["uninstall", "--purge", "--state", "/srv/s"];
  assertEquals(flag(args, "--allow-write"), "--allow-write=/srv/s");
  assertEquals(flag(args, "--allow-ffi"), "--allow-ffi=/opt/immune/out/libimmune_sensor.so");
  assertEquals(flag(args, "--allow-net"), undefined);
});
