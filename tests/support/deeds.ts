import { compileRules, readRuleSources } from "../../common/sigma/mod.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { immune, ROOT } from "./immune.ts";
import { Lines } from "./lines.ts";

/** A real process, or two, that does no harm: the words after `:` are arguments and never run. */
export interface Deed {
  /** Rule file that is to see it: folder and name, as `ai/agent_decoded_payload`. */
  readonly rule: string;
  /** Program in the test's folder; default the host's bash. */
  readonly program?: string;
  /**
   * Script for `bash -c`, or arguments of another program. `$DIR` is the test's folder below /tmp,
   * `$OPT` one below /opt, `$CRON` a file below /etc/cron.d.
   */
  readonly script: string | readonly string[];
  /** First argument after the script, by which the parent is known. */
  readonly called?: string;
}

/** Start of a command line that ends a run of deeds; ai/coin_miner_command_line sees it. */
const MARK = ": stratum+tcp://mark.example:1";

/** What a run of deeds is watched with. */
export interface WatchOptions {
  /** Folders of rules/ that are loaded; the one called `ai` must be among them. */
  readonly packs: readonly string[];
  /** More arguments of `immune watch`. */
  readonly args?: readonly string[];
}

interface Stage {
  readonly folder: string;
  readonly optional: string;
  readonly cron: string;
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
    timeout: "timeout",
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
  return { folder, optional, cron };
}

async function act({ program, script, called }: Deed, stage: Stage): Promise<void> {
  const { folder, optional, cron } = stage;
  const fill = (text: string) =>
    text.replaceAll("$DIR", folder).replaceAll("$CRON", cron).replaceAll("$OPT", optional);
  const args = typeof script === "string"
    ? ["-c", fill(script), ...(called === undefined ? [] : [called])]
    : script.map(fill);
  const image = program === undefined ? "bash" : `${folder}/${program}`;
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
  const rules = packs.flatMap((pack) => ["--rules", `${ROOT}rules/${pack}`]);
  const child = immune(["watch", "--json", "--state", state, ...rules, ...args]).spawn();
  const [alerts, messages] = [new Lines(child.stdout), new Lines(child.stderr)];
  const fired = new Set<string>();
  try {
    await messages.find((line) => line.startsWith("Watching"));
    for (const deed of deeds) await act(deed, stage);
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
    for (const path of [state, stage.folder, stage.optional, stage.cron]) {
      await Deno.remove(path, { recursive: true });
    }
  }
  return new Set(deeds.map(({ rule }) => rule).filter((rule) => fired.has(rule)));
}

/** Folder and name of each rule file, by the rule's id. */
async function rulesOf(packs: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const folder = `${ROOT}rules/`;
  const sources = await Promise.all(packs.map((pack) => readRuleSources(`${folder}${pack}`)));
  return new Map(
    compileRules(sources.flat()).rules.map(({ id, path }) =>
      [id, path.slice(folder.length).replace(/\.yml$/, "")] as const
    ),
  );
}
