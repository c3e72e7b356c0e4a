import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { notices } from "../../build/notices.ts";
import { AGENT_CAPABILITIES } from "../../cli/supervise/commands.ts";
import { permissionFlags } from "../../cli/permissions.ts";
import { HIVE_USER } from "../../cli/supervise/user.ts";
import { ROOT } from "../support/immune.ts";
import { dist } from "../support/up.ts";

const DIST = `${ROOT}dist`;
/** Where units take `dist/` to be. */
const INSTALLED = "/opt/immune/";
const UNITS = ["immune", "immune-agent", "immune-hive"] as const;
const LINK = /(?:\]\(|(?:src|srcset)=")((?!https?:|#)[^)"#]+)/g;

function isThere(path: string): boolean {
  return Deno.statSync(path).isFile;
}

/** Settings of a unit, those that come more than once together. */
async function settingsOf(unit: string): Promise<ReadonlyMap<string, string>> {
  const settings = new Map<string, string>();
  const text = await Deno.readTextFile(`${DIST}/service/${unit}.service`);
  for (const [, key = "", value = ""] of text.matchAll(/^(\w+)=(.*)$/gm)) {
    settings.set(key, `${settings.get(key) ?? ""} ${value}`.trim());
  }
  return settings;
}

Deno.test("dist/ has what its README and specs link to", async () => {
  await dist;
  const missing: string[] = [];
  let links = 0;
  const specs = Array.from(Deno.readDirSync(`${DIST}/specs`), ({ name }) => `specs/${name}`);
  for (const path of ["README.md", ...specs.filter((name) => name.endsWith(".md"))]) {
    const text = await Deno.readTextFile(`${DIST}/${path}`);
    for (const [, target = ""] of text.matchAll(LINK)) {
      links++;
      const file = new URL(target, `file://${DIST}/${path}`).pathname;
      await Deno.stat(file).catch(() => missing.push(`${path}: ${target}`));
    }
  }
  assertEquals(missing, []);
  assert(links > 10, `${links} links`);
});

Deno.test("dist/NOTICES.txt has the licence of each package that is in a program", async () => {
  await dist;
  const text = await Deno.readTextFile(`${DIST}/NOTICES.txt`);
  for (const name of ["zod", "hono", "@peculiar/x509", "reflect-metadata", "assemblyscript"]) {
    assert(new RegExp(`^=+\n${name} \\d`, "m").test(text), name);
  }
  assertStringIncludes(text, "Apache License");
  assertStringIncludes(text, "Permission is hereby granted, free of charge");
});

Deno.test("notices() refuses a package that says nothing of a licence", async () => {
  const folder = await Deno.makeTempDir();
  const cache = `${folder}/npm/registry.example`;
  await Deno.mkdir(`${cache}/@some/one/1.0.0`, { recursive: true });
  await Deno.mkdir(`${cache}/assemblyscript`);
  const about = (license?: string): Promise<void> =>
    Deno.writeTextFile(
      `${cache}/@some/one/1.0.0/package.json`,
      JSON.stringify({ name: "@some/one", version: "1.0.0", license }),
    );
  const said = (): Promise<string> =>
    notices([`// ${cache}/@some/one/1.0.0/a.js\n`]).catch((error: Error) => error.message);
  await about();
  assertStringIncludes(await said(), "says nothing");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("units for systemd name what is there, and give the agent what up gives it", async () => {
  await dist;
  for (const unit of UNITS) {
    const settings = await settingsOf(unit);
    const [program = "", verb = "", ...flags] = settings.get("ExecStart")?.split(" ") ?? [];
    assert(program.startsWith(INSTALLED), program);
    assert(isThere(`${DIST}/${program.slice(INSTALLED.length)}`), program);
    const documentation = settings.get("Documentation")?.replace(`file://${INSTALLED}`, "");
    assert(isThere(`${DIST}/${documentation}`), documentation);
    assertEquals(flags, ["--state", "/var/lib/immune"]);
    assertEquals(verb, unit === "immune" ? "up" : unit.slice("immune-".length));
    // A verb that there is has permissions to its state folder.
    const permissions = permissionFlags([verb, ...flags], { root: INSTALLED, environment: {} });
    assert(permissions.some((flag) => flag.startsWith("--allow-write=/var/lib/immune")), verb);
    assertEquals(settings.get("KillMode"), "mixed", "helpers and parts end in their order");
    if (unit !== "immune-hive") {
      assertEquals([...settings.keys()].filter((key) => /^(Private|Protect)/.test(key)), []);
    }
  }
  const agent = await settingsOf("immune-agent");
  assertEquals(
    agent.get("CapabilityBoundingSet")?.split(" ").map((name) => name.slice(4).toLowerCase()),
    [...AGENT_CAPABILITIES],
  );
  assertEquals((await settingsOf("immune-hive")).get("User"), HIVE_USER);
});
