import { compileRules, readRuleSources } from "../../common/sigma/mod.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { immune, ROOT } from "./immune.ts";
import { Lines, START_WAIT_MS } from "./lines.ts";

/** A real process, or two, that does no harm: the words after `:` are arguments and never run. */
export interface Deed {
  /** Rule file that is to see it: folder and name, as `ai/agent_decoded_payload`. */
  readonly rule: string;
  /** Program in the test's folder; default the host's bash. */
  readonly program?: string;
  /**
   * Script for `bash -c`, or arguments of another program. `$DIR` is the test's folder below /tmp,
   * `$SENSOR` the pid of
   * the watch, `$PUBLIC` the start of a command in a network namespace that has a public address,
   * `$OPT` a folder below /opt, `$CRON` a file below /etc/cron.d, `$UNIQUE` a name of nothing else, `$MODEL` one below /srv/models.
   */
  readonly script: string | readonly string[];
  /** First argument after the script, by which the parent is known. */
  readonly called?: string;
}

/** Start of a command line that ends a run of deeds; ai/coin_miner_command_line sees it. */
const MARK = ": stratum+tcp://mark.example:1";

/** 203.0.113.7 (RFC 5737) is there alone, on loopback. */
const PUBLIC = "unshare --net bash -c 'ip link set lo up; ip address add 203.0.113.7 dev lo; " +
  'exec "$@"\' -';

/** What a run of deeds is watched with. */
export interface WatchOptions {
  /** Folders of rules/ that are loaded; the one called `ai` must be among them. */
  readonly packs: readonly string[];
  /** More arguments of `immune watch`. */
  readonly args?: readonly string[];
}

/**
 * Folders of root's login keys and of the product's settings, which rules watch; not every host has
 * them, and what is done in a folder before its marks are set is not seen.
 */
const WATCHED = ["/root/.ssh", "/etc/immune"];

interface Stage {
  readonly folder: string;
  readonly optional: string;
  readonly cron: string;
  readonly model: string;
}

/** Copies of harmless programs under the names that rules look for. */
async function setStage(): Promise<Stage> {
  const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "immune-ai-" });
  const optional = await Deno.makeTempDir({ dir: "/opt", prefix: "immune-ai-" });
  for (const name of [".claude", ".ssh", "site-packages", ".local/share/claude/versions"]) {
    await Deno.mkdir(`${folder}/${name}`, { recursive: true });
  }
  await Deno.writeTextFile(`${folder}/.ssh/id_rsa`, "");
  const copies = {
    "llama-server": "bash",
    ollama: "cat",
    curl: "true",
    bun: "true",
    python3: "bash",
    timeout: "timeout",
    tritonserver: "perl",
    socat: "perl",
    ".local/share/claude/versions/2.0.0": "bash",
  };
  for (const [name, program] of Object.entries(copies)) {
    await Deno.copyFile(`/usr/bin/${program}`, `${folder}/${name}`);
    await Deno.chmod(`${folder}/${name}`, 0o755);
  }
  // cron takes no file whose name has a dot.
  const cron = `/etc/cron.d/immune-ai.${crypto.randomUUID()}`;
  await Deno.mkdir("/etc/cron.d", { recursive: true });
  await Deno.writeTextFile(cron, "# Made by a test\n");
  await Deno.mkdir("/srv/models", { recursive: true });
  const model = `/srv/models/immune-${crypto.randomUUID()}.pt`;
  await Deno.writeTextFile(model, "");
  return { folder, optional, cron, model };
}

async function act(
  { program, script, called }: Deed,
  stage: Stage,
  { sensor = 0 }: { readonly sensor?: number } = {},
): Promise<void> {
  const places = {
    DIR: stage.folder,
    OPT: stage.optional,
    CRON: stage.cron,
    UNIQUE: crypto.randomUUID(),
    MODEL: stage.model,
    SENSOR: String(sensor),
    PUBLIC: PUBLIC,
    NETWORK: `${ROOT}tests/support/network.pl`,
  };
  const fill = (text: string) =>
    Object.entries(places).reduce((filled, [name, at]) => filled.replaceAll(`$${name}`, at), text);
  const args = typeof script === "string"
    ? ["-c", fill(script), ...(called === undefined ? [] : [called])]
    : script.map(fill);
  const image = program === undefined ? "bash" : `${stage.folder}/${program}`;
  await new Deno.Command(image, { args, stdout: "null", stderr: "null" }).output();
}

/**
 * Does deeds under a watch of its own.
 *
 * @param deeds What is done, one after the other.
 * @param options Rules, and how it is watched.
 * @returns Of the rules that the deeds name, those that fired meanwhile.
 */
export async function seenOf(
  deeds: readonly Deed[],
  { packs, args = [] }: WatchOptions,
): Promise<ReadonlySet<string>> {
  const names = await rulesOf(packs);
  const state = await Deno.makeTempDir();
  const stage = await setStage();
  const made: string[] = [];
  for (const folder of WATCHED) {
    await Deno.mkdir(folder, { mode: 0o700 }).then(() => made.push(folder), () => undefined);
  }
  const rules = packs.flatMap((pack) => ["--rules", `${ROOT}rules/${pack}`]);
  const child = immune(["watch", "--json", "--state", state, ...rules, ...args]).spawn();
  const [alerts, messages] = [new Lines(child.stdout), new Lines(child.stderr)];
  const fired = new Set<string>();
  try {
    await messages.find((line) => line.startsWith("Watching"), { waitMs: START_WAIT_MS });
    for (const deed of deeds) await act(deed, stage, { sensor: child.pid });
    // Opens and starts of programs come by different ways: what came before the first mark is
    // through when the second one is.
    for (const mark of ["first", "second"]) {
      await act({ rule: "", script: `${MARK}/${mark}` }, stage);
      await alerts.find((line) => {
        const alert = JSON.parse(line) as Alert;
        fired.add(names.get(alert.rule.id) ?? alert.rule.id);
        return alert.process?.command_line?.includes(`${MARK}/${mark}`) ?? false;
      });
    }
  } finally {
    child.kill("SIGINT");
    await Promise.all([alerts.drain(), messages.drain(), child.status]);
    for (const path of [state, ...Object.values(stage)]) {
      await Deno.remove(path, { recursive: true });
    }
    for (const folder of made) await Deno.remove(folder).catch(() => undefined);
  }
  // Gone when nobody else keeps models there.
  await Deno.remove("/srv/models").catch(() => undefined);
  return new Set(deeds.map(({ rule }) => rule).filter((rule) => fired.has(rule)));
}

/** Folder and name of each rule file, by the rule's id. */
async function rulesOf(packs: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const folder = `${ROOT}rules/`;
  const sources = await Promise.all(packs.map((pack) => readRuleSources(`${folder}${pack}`)));
  const { rules, correlations } = compileRules(sources.flat());
  const nameOf = (path: string) => path.slice(folder.length).replace(/\.yml$/, "");
  // What has a name is a part of a correlation, and not what its file is about.
  return new Map(
    [
      ...rules.map(({ id, path, name }) => [id, name === "" ? nameOf(path) : name] as const),
      ...correlations.map(({ id, path }) => [id, nameOf(path)] as const),
    ],
  );
}
