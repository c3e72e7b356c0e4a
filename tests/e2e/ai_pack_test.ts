import { assert, assertEquals } from "@std/assert";
import { compileRules, readRuleSources } from "../../common/sigma/mod.ts";
import type { Alert } from "../../common/wire/mod.ts";
import { canLoadSensor } from "../support/host.ts";
import { immune, ROOT } from "../support/immune.ts";
import { Lines } from "../support/lines.ts";

const ignore = !canLoadSensor();
const PACKS = [`${ROOT}rules/ai`, `${ROOT}rules/costly`];
const { rules: RULES } = compileRules(
  (await Promise.all(PACKS.map((pack) => readRuleSources(pack)))).flat(),
);

/** A real process, or two, that does no harm: the words after `:` are arguments and never run. */
interface Deed {
  /** Rule file, without its ending. */
  readonly rule: string;
  /** Program in the test's folder; default the host's bash. */
  readonly program?: string;
  /** Script for `bash -c`, or arguments of another program. */
  readonly script: string | readonly string[];
  /** First argument after the script, by which the parent is known. */
  readonly called?: string;
}

const CLAUDE = "node_modules/@anthropic-ai/claude-code/cli.js";
const MCP = "@modelcontextprotocol/server-git";

/** What each rule has to see. `$DIR` is the test's folder, `$CRON` a file below /etc/cron.d. */
const DEEDS: readonly Deed[] = [
  { rule: "inference_server_shell", program: "llama-server", script: "bash -c ': id'; true" },
  {
    rule: "inference_server_downloader",
    program: "llama-server",
    // Its role alone tells whose grandchild it is.
    script: "bash -c 'bash -c \"$DIR/curl http://203.0.113.7/x; true\"; true'; true",
  },
  { rule: "inference_server_persistence", program: "ollama", script: ["$CRON"] },
  { rule: "inference_server_reads_secrets", program: "ollama", script: ["/etc/shadow"] },
  {
    rule: "ai_workload_metadata",
    program: "llama-server",
    script: "$DIR/timeout 0.2 $DIR/llama-server -c ': >/dev/tcp/169.254.169.254/80'; true",
  },
  { rule: "coin_miner_command_line", script: ": stratum+tcp://pool.example:3333" },
  { rule: "coding_agent_guard_rails_off", script: ": claude --dangerously-skip-permissions" },
  {
    rule: "coding_agent_from_installer",
    script: "bash -c ': codex exec look around'; true",
    called: "npm install",
  },
  { rule: "coding_agent_reads_credentials", script: "cat /etc/shadow; true", called: CLAUDE },
  {
    rule: "agent_configuration_written_by_command",
    script: "bash -c 'echo {} > $DIR/.claude/settings.json'; true",
    called: "postinstall.js",
  },
  { rule: "coding_agent_opens_persistence", script: "cat $CRON; true", called: CLAUDE },
  {
    rule: "coding_agent_persistence_command",
    script: "bash -c ': echo x >> .bashrc'; true",
    called: CLAUDE,
  },
  { rule: "mcp_server_shell_injection", script: "bash -c ': ls; curl x'; true", called: MCP },
  { rule: "installer_brought_runtime", script: "$DIR/bun x.js; true", called: "preinstall.js" },
  {
    rule: "path_file_written_by_command",
    script: ": echo import os > lib/site-packages/a.pth",
  },
  { rule: "installer_reads_credentials", script: "cat /etc/shadow; true", called: "npm install" },
  { rule: "agent_decoded_payload", script: "bash -c ': base64 -d x | sh'; true", called: MCP },
];

/** What the rules of rules/costly have to see; `$OPT` is a folder below /opt. */
const COSTLY_DEEDS: readonly Deed[] = [
  { rule: "cron_file_changed", script: "echo '# still a test' >> $CRON" },
  { rule: "agent_configuration_changed", script: "echo {} > $DIR/.mcp.json" },
  { rule: "path_file_created", script: "echo > $DIR/site-packages/a.pth" },
  { rule: "inference_server_writes_outside", program: "llama-server", script: "echo > $OPT/x" },
  {
    rule: "coding_agent_reads_credentials_anywhere",
    program: ".local/share/claude/versions/2.0.0",
    script: "cat $DIR/.ssh/id_rsa; true",
  },
];

/** What looks like a deed, and is none: the rule must be silent. */
const NEAR_MISSES: readonly Deed[] = [
  {
    rule: "inference_server_shell",
    program: "llama-server",
    script: "bash -c 'uname -a'; sh -c 'ldconfig -p' >/dev/null; true",
  },
  {
    rule: "inference_server_downloader",
    program: "llama-server",
    script: "$DIR/curl http://127.0.0.1:8080/health; true",
  },
  { rule: "coding_agent_guard_rails_off", script: ": claude --permission-mode plan" },
  { rule: "coding_agent_reads_credentials", script: "cat /etc/passwd; true", called: CLAUDE },
  { rule: "mcp_server_shell_injection", script: "bash -c 'ls | wc -l'; true", called: MCP },
  { rule: "installer_reads_credentials", script: "cat /etc/hosts; true", called: "npm install" },
  { rule: "agent_decoded_payload", script: "bash -c ': base64 -d x'; true", called: MCP },
];
/** Start of a command line that ends a run of deeds. */
const MARK = ": stratum+tcp://mark.example:1";

function idOf(name: string): string {
  const rule = RULES.find(({ path }) => path.endsWith(`/${name}.yml`));
  assert(rule !== undefined, `no rule "${name}"`);
  return rule.id;
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

/** Runs deeds under a watch of its own and gives the ids of the rules that fired meanwhile. */
async function watched(
  deeds: readonly Deed[],
  ...more: readonly string[]
): Promise<ReadonlySet<string>> {
  const state = await Deno.makeTempDir();
  const stage = await setStage();
  const child = immune(["watch", "--json", "--state", state, ...more]).spawn();
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
        fired.add(alert.rule.id);
        return alert.process?.command_line?.includes(`${MARK}/${mark}`) ?? false;
      });
    }
  } finally {
    child.kill("SIGINT");
    await Promise.all([alerts.drain(), messages.drain(), child.status]);
    await Deno.remove(state, { recursive: true });
    await Deno.remove(stage.folder, { recursive: true });
    await Deno.remove(stage.optional, { recursive: true });
    await Deno.remove(stage.cron);
  }
  return fired;
}

Deno.test({
  name:
    "sensor: AI pack: real processes raise the alert of each rule that the sensor's hooks can feed",
  ignore,
  fn: async () => {
    const fired = await watched(DEEDS);
    const missed = DEEDS.filter(({ rule }) => !fired.has(idOf(rule))).map(({ rule }) => rule);
    assertEquals(missed, []);
  },
});

Deno.test({
  name: "sensor: AI pack: real processes that only look alike raise none",
  ignore,
  fn: async () => {
    const fired = await watched(NEAR_MISSES);
    const loud = NEAR_MISSES.filter(({ rule }) => fired.has(idOf(rule))).map(({ rule }) => rule);
    assertEquals(loud, []);
  },
});

Deno.test({
  name: "sensor: costly pack: real processes raise its alerts in the wide stream",
  ignore,
  fn: async () => {
    const rules = PACKS.flatMap((pack) => ["--rules", pack]);
    const fired = await watched(COSTLY_DEEDS, ...rules, "--sensor-open", "wide");
    const missed = COSTLY_DEEDS.filter(({ rule }) => !fired.has(idOf(rule)));
    assertEquals(missed.map(({ rule }) => rule), []);
  },
});
