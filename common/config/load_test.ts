import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "./errors.ts";
import { type ConfigSources, loadConfig, type LoadedConfig } from "./load.ts";
import { OPTION_ENTRIES } from "./options.ts";

interface Place {
  readonly folder: string;
  readonly load: (sources?: ConfigSources) => LoadedConfig;
  readonly write: (name: string, text: string) => string;
}

async function inFolder(test: (place: Place) => void): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "immune-config-" });
  try {
    test({
      folder,
      load: (sources = {}) =>
        loadConfig({
          systemFile: `${folder}/system.toml`,
          ...sources,
          environment: { IMMUNE_STATE: `${folder}/state`, ...sources.environment },
        }),
      write(name, text): string {
        const path = `${folder}/${name}`;
        Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
        Deno.writeTextFileSync(path, text);
        Deno.chmodSync(path, 0o600);
        return path;
      },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function refusal(action: () => unknown): string {
  const error = assertThrows(action, ImmuneError);
  return `${error.code} ${error.message}`;
}

Deno.test("loadConfig() takes flags over environment over file over default, with origins", () =>
  inFolder(({ load, write }) => {
    const text = "[journal]\nflush_ms = 1\nsegment_bytes = 8192\n\n[rules]\npaths = ['a']\n";
    const path = write("state/immune.toml", text);
    const environment = { IMMUNE_JOURNAL_FLUSH_MS: "2", IMMUNE_RULES: "b:c" };
    const { values, origins, file } = load({ flags: { "journal-flush-ms": "3" }, environment });
    assertEquals(file, path);
    assertEquals(values.journal, {
      segment_bytes: 8192,
      total_bytes: 268_435_456,
      flush_ms: 3,
    });
    assertEquals(values.rules.paths, ["b", "c"]);
    assertEquals(origins.get("journal.flush_ms"), "flag --journal-flush-ms");
    assertEquals(origins.get("rules.paths"), "environment IMMUNE_RULES");
    assertEquals(origins.get("journal.segment_bytes"), `${path}:3`);
    assertEquals(origins.get("journal.total_bytes"), "default");
    assertEquals(load({ environment: { IMMUNE_JOURNAL_FLUSH_MS: "" } }).values.journal.flush_ms, 1);
  }));

Deno.test("loadConfig() gives every key a value and an origin, nothing given", () =>
  inFolder(({ folder, load }) => {
    const { values, origins, file } = load();
    assertEquals(file, undefined);
    assertEquals([...origins.keys()], OPTION_ENTRIES.map(({ name }) => name));
    assertEquals(values.state.dir, `${folder}/state`);
    assertEquals(origins.get("state.dir"), "environment IMMUNE_STATE");
  }));

Deno.test("loadConfig() names variables mechanically: IMMUNE_ and the flag", () => {
  const names = OPTION_ENTRIES.map(({ variable }) => variable);
  for (const name of ["IMMUNE_STATE", "IMMUNE_RULES", "IMMUNE_BTF", "IMMUNE_JSON"]) {
    assertEquals(names.includes(name), true, name);
  }
  assertEquals(new Set(names).size, names.length);
  const unknown = loadConfig({
    environment: { IMMUNE_STATE: "/nowhere", IMMUNE_JURNAL: "1", HOME: "/" },
    systemFile: "/nowhere/immune.toml",
  }).unknownVariables;
  assertEquals(unknown, ["IMMUNE_JURNAL"]);
});

Deno.test("loadConfig() looks for the file in order: flag, variable, state folder, system", () =>
  inFolder(({ folder, load, write }) => {
    const file = (name: string, ms: number): string => write(name, `journal.flush_ms = ${ms}\n`);
    const [a, b] = [file("a.toml", 1), file("b.toml", 2)];
    file("state/immune.toml", 3);
    file("system.toml", 4);
    const flush = (sources: ConfigSources): number => load(sources).values.journal.flush_ms;
    const environment = { IMMUNE_CONFIG: b };
    assertEquals(flush({ flags: { config: a }, environment }), 1);
    assertEquals(flush({ environment }), 2);
    assertEquals(flush({}), 3);
    Deno.removeSync(`${folder}/state/immune.toml`);
    assertEquals(flush({}), 4);
    const missing = refusal(() => load({ flags: { config: `${folder}/none` } }));
    assertStringIncludes(missing, `FILE_UNREADABLE Cannot read configuration "${folder}/none"`);
  }));

Deno.test("loadConfig() finds the default state folder: root, XDG_STATE_HOME, HOME", () => {
  const state = (uid: number, environment: Record<string, string>): string =>
    loadConfig({ uid, environment, systemFile: "/nowhere/immune.toml" }).values.state.dir;
  assertEquals(state(0, { HOME: "/root" }), "/var/lib/immune");
  assertEquals(state(7, { HOME: "/home/a" }), "/home/a/.local/state/immune");
  assertEquals(state(7, { HOME: "/home/a", XDG_STATE_HOME: "/s" }), "/s/immune");
  assertEquals(state(7, { HOME: "/home/a", XDG_STATE_HOME: "not/absolute" }).at(0), "/");
});

Deno.test("loadConfig() names file, line and the nearest key, unknown key or section", () =>
  inFolder(({ load, write }) => {
    const path = write("state/immune.toml", "# note\n[journal]\nflush_msec = 1\n");
    assertEquals(
      refusal(() => load()),
      `CONFIG_INVALID Cannot use configuration "${path}:3": "journal.flush_msec" is no key; ` +
        'did you mean "flush_ms"',
    );
    write("state/immune.toml", "\n[jurnal]\nflush_ms = 1\n");
    assertStringIncludes(refusal(() => load()), `${path}:2": "jurnal" is no section; did you mean`);
    write("state/immune.toml", "quiet = true\n");
    assertStringIncludes(refusal(() => load()), 'known are "state", "sensor"');
    write("state/immune.toml", "[journal\n");
    assertStringIncludes(
      refusal(() => load()),
      `CONFIG_INVALID Cannot use configuration "${path}:1`,
    );
  }));

Deno.test("loadConfig() refuses values that do not hold and says where they came from", () =>
  inFolder(({ load, write }) => {
    const cases: readonly [string, string, string][] = [
      ["IMMUNE_JOURNAL_FLUSH_MS", "soon", "environment IMMUNE_JOURNAL_FLUSH_MS"],
      ["IMMUNE_JOURNAL_FLUSH_MS", "-1", "journal.flush_ms"],
      ["IMMUNE_SENSOR_BULK_RING_BYTES", "5000", "power of two"],
      ["IMMUNE_SENSOR_OPEN", "all", "sensor.open"],
      ["IMMUNE_BTF", "vmlinux", "absolute path"],
      ["IMMUNE_JSON", "constructor", "output.json"],
      ["IMMUNE_STATE", "here", "absolute path"],
      ["IMMUNE_JOURNAL_TOTAL_BYTES", "20000000", "at least two segments"],
    ];
    for (const [variable, value, part] of cases) {
      const message = refusal(() => load({ environment: { [variable]: value } }));
      assertStringIncludes(message, "CONFIG_INVALID");
      assertStringIncludes(message, part);
    }
    const path = write("state/immune.toml", '[output]\njson = "yes"\n');
    assertStringIncludes(refusal(() => load()), `Cannot use "yes" from ${path}:2 as output.json`);
    Deno.chmodSync(path, 0o666);
    assertStringIncludes(refusal(() => load()), `anyone may write it; run "chmod o-w ${path}"`);
  }));

Deno.test("loadConfig() only ever throws ImmuneError, any text as the file", () =>
  inFolder(({ load, write }) => {
    const piece = fc.constantFrom(
      "[journal]",
      "flush_ms",
      "=",
      "\n",
      "1",
      "'",
      '"""',
      "[[",
      "]",
      ".",
    );
    const text = fc.oneof(fc.string(), fc.array(piece, { maxLength: 12 }).map((p) => p.join("")));
    fc.assert(
      fc.property(text, (toml) => {
        write("state/immune.toml", toml);
        try {
          load();
        } catch (error) {
          if (!(error instanceof ImmuneError)) throw error;
        }
      }),
      { seed: 5, numRuns: 500 },
    );
  }));
