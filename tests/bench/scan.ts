import { createHash } from "node:crypto";
import { encodeRecord } from "../../common/record/mod.ts";
import { compileRules } from "../../common/sigma/mod.ts";
import { Engine, findLiterals, TEXT_BYTES_MAX } from "../../wasm/engine/mod.ts";
import { randomNumbers } from "./_random.ts";
import type { BenchResult } from "./result.ts";

const SEED = 20_262;
const ROUNDS = 60;
const LITERALS = 1_000;
const RULES = new URL("../../rules/linux/", import.meta.url);

const COMMANDS: readonly (readonly [image: string, argv: string])[] = [
  ["/usr/bin/python3.11", "python3\0-m\0vllm.entrypoints.openai.api_server\0--port\x008000\0"],
  ["/usr/bin/bash", "bash\0-c\0ls -la /var/log | grep error\0"],
  ["/usr/bin/git", "git\0-c\0core.quotepath=false\0status\0--porcelain\0"],
  ["/usr/bin/cat", "cat\0/proc/meminfo\0"],
  ["/usr/bin/curl", "curl\0-fsSL\0https://example.com/models/list.json\0-o\0/tmp/list\0"],
  ["/usr/bin/nvidia-smi", "nvidia-smi\0--query-gpu=utilization.gpu\0--format=csv\0"],
];
const PATHS: readonly string[] = [
  "/usr/lib/x86_64-linux-gnu/libc.so.6",
  "/etc/ld.so.cache",
  "/opt/models/llama/model-00001-of-00004.safetensors",
  "/etc/passwd",
  "/home/user/.cache/huggingface/token",
];

type Random = (below: number) => number;

/** One process: fork, exec, two opens, a connect, exit. */
function lifeOf(pid: number, random: Random): readonly Uint8Array[] {
  const header = {
    pid,
    tid: pid,
    start_time_ns: BigInt(pid) * 1000n,
    parent_pid: pid - random(3) - 1,
    uid: 1000,
  };
  const [image, argv] = COMMANDS[random(COMMANDS.length)] ?? ["", ""];
  const open = (): Uint8Array =>
    encodeRecord("open", {
      header,
      body: { open_flags: random(3) },
      slots: { path: PATHS[random(PATHS.length)] ?? "" },
    });
  return [
    encodeRecord("fork", { header }),
    encodeRecord("exec", { header, slots: { image, argv, cwd: "/home/user", file_name: image } }),
    open(),
    open(),
    encodeRecord("connect", {
      header,
      body: {
        family: 2,
        port: 443 + random(4000),
        protocol: 6,
        socket_type: 1,
        address: new Uint8Array([10, 0, random(256), random(256)]),
      },
    }),
    encodeRecord("exit", { header }),
  ];
}

function fillBatch(engine: Engine, random: Random): { length: number; records: number } {
  let length = 0;
  let records = 0;
  for (let pid = 1000;; pid++) {
    for (const record of lifeOf(pid, random)) {
      if (length + record.length > engine.batch.length) return { length, records };
      engine.batch.set(record, length);
      length += record.length;
      records++;
    }
  }
}

function scanRate(engine: Engine): { rate: number; records: number; hits: number } {
  const { length, records } = fillBatch(engine, randomNumbers(SEED));
  engine.scan(length);
  let hits = 0;
  const start = performance.now();
  for (let i = 0; i < ROUNDS; i++) hits = engine.scan(length).length;
  return { rate: records * ROUNDS * 1000 / (performance.now() - start), records, hits };
}

/** Megabytes a second through the automaton of one field with many literals. */
function literalRate(engine: Engine): { rate: number; found: number } {
  const random = randomNumbers(SEED);
  const word = (length: number): string =>
    Array.from({ length }, () => random(36).toString(36)).join("");
  const literals = Array.from({ length: LITERALS }, () => word(8 + random(8)));
  const text = [
    "title: Literals",
    "id: 00000000-0000-4000-8000-000000000000",
    "logsource: { category: process_creation, product: linux }",
    "detection:",
    "  s:",
    "    CommandLine|contains:",
    ...literals.map((literal) => `      - "${literal}"`),
    "  condition: s",
  ].join("\n");
  engine.publish(compileRules([{ path: "literals.yml", text }]).image);
  let line = "";
  while (line.length < TEXT_BYTES_MAX - 200) {
    const [image, argv] = COMMANDS[random(COMMANDS.length)] ?? ["", ""];
    line += `${image} ${argv.replaceAll("\0", " ")} ${word(12)} ${
      literals[random(LITERALS * 8)] ?? ""
    } `;
  }
  const bytes = new TextEncoder().encode(line);
  const found = findLiterals(engine, bytes)?.length ?? 0;
  const { core } = engine;
  const length = core.put(bytes);
  const start = performance.now();
  for (let i = 0; i < ROUNDS * 20; i++) core.exports.literals_run(0, core.text, length);
  return { rate: length * ROUNDS * 20 / 1000 / (performance.now() - start), found };
}

/**
 * Measures the scan of a batch of process lives with the rules of the starter pack, and the walk of
 * an automaton of 1,000 literals.
 *
 * @returns Records and megabytes a second.
 */
export async function run(): Promise<BenchResult> {
  const engine = await Engine.create();
  const sources = [...Deno.readDirSync(RULES)]
    .filter((entry) => entry.name.endsWith(".yml"))
    .map((entry) => entry.name)
    .sort()
    .map((path) => ({ path, text: Deno.readTextFileSync(new URL(path, RULES)) }));
  const set = compileRules(sources);
  engine.publish(set.image);
  const scan = scanRate(engine);
  const literals = literalRate(engine);
  const result = [scan.records, scan.hits, literals.found].join("/");
  return {
    workload: `${ROUNDS} scans of ${scan.records} records (fork, exec, 2 opens, connect, exit), ` +
      `${set.rules.length} rules; ${LITERALS} literals over command lines`,
    seed: SEED,
    checksum: createHash("sha256").update(result).digest("hex").slice(0, 16),
    figures: [
      { figure: "scan_records_per_s", value: scan.rate, unit: "records/s" },
      { figure: "literals_mb_per_s", value: literals.rate, unit: "MB/s" },
    ],
  };
}
