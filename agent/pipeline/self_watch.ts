import { TAMPER_CATEGORY } from "../../common/sigma/log_fields.ts";
import type { Engine } from "../../wasm/engine/mod.ts";
import { OwnFiles } from "../guards/own_files.ts";
import { RunFile } from "../guards/run_file.ts";
import { SelfCheck, VERIFY_INTERVAL_MS } from "../guards/self_check.ts";
import { type Tamper, tamperRecord } from "../guards/tamper.ts";
import type { Enforcement } from "../enforce/enforcement.ts";
import { readFact } from "../sensors/facts.ts";
import type { KernelSensor } from "../sensors/kernel.ts";
import { type LibraryOptions, loadLibrary } from "../sensors/library.ts";
import type { Policy } from "../sensors/policy.ts";
import type { MadeRecord } from "./made.ts";
import type { Pipeline } from "./pipeline.ts";

const NS_PER_MS = 1_000_000n;
const STATUS_BYTES_MAX = 16 * 1024;
const SOURCES = [{ product: "linux", category: TAMPER_CATEGORY }] as const;
/** After these something of the kernel was not seen. */
const BLIND: ReadonlySet<Tamper["what"]> = new Set(["detached", "map_changed", "stopped"]);

/** What looking after the agent works with. */
export interface SelfParts {
  readonly sensor: Pick<KernelSensor, "verify" | "policy">;
  /** Default: nothing is refused. */
  readonly enforcement: Pick<Enforcement, "verify" | "restore"> | undefined;
  readonly library: LibraryOptions;
  readonly engine: Pick<Engine, "process">;
  readonly pipeline: Pick<Pipeline, "takeMade" | "tellDetached">;
  /** The policy in force. */
  readonly policy: () => Policy;
  readonly bootTimeNs: () => bigint;
  readonly bootId: string;
  /** Files that the agent runs from. */
  readonly files: readonly string[];
  /** Where it says that it lives. Default: nowhere. */
  readonly runFile: string | undefined;
}

/** Looks after the agent between two batches of the sensor, and makes records of what it finds. */
export class SelfWatch {
  readonly #parts: SelfParts;
  readonly #check: SelfCheck;
  readonly #run: RunFile | undefined;
  #saidAt = -Infinity;

  /** @param parts Sensor, files, clocks. How all of it is now is how it should be. */
  constructor(parts: SelfParts) {
    const { sensor, enforcement, library, policy, bootTimeNs, bootId, runFile } = parts;
    // Keys that it masks are in its memory: not in core dumps. Without it the agent goes on.
    loadLibrary(library).symbols.immune_protect();
    const bootMs = (): number => Number(bootTimeNs() / NS_PER_MS);
    this.#parts = parts;
    this.#check = new SelfCheck({
      tracer: () => tracerOf(library),
      oomScoreAdj: () => oomScoreAdj(library),
      sensor: () => [...sensor.verify(), ...enforcement?.verify() ?? []],
      restorePolicy: () => {
        sensor.policy(policy());
        enforcement?.restore();
      },
      files: new OwnFiles(parts.files),
      wallMs: () => Date.now(),
      bootMs,
      steadyMs: () => performance.now(),
    });
    if (runFile === undefined) return;
    this.#run = new RunFile(runFile, { bootId, pid: Deno.pid, bootMs });
    this.#tell(this.#run.last());
  }

  /** Looks at what is due. */
  step(): void {
    this.#tell(this.#check.step());
    const now = performance.now();
    if (this.#run === undefined || now - this.#saidAt < VERIFY_INTERVAL_MS) return;
    this.#saidAt = now;
    this.#run.alive();
  }

  /** Says that the agent was asked to end. */
  end(): void {
    this.#run?.end();
  }

  #tell(tampers: readonly Tamper[]): void {
    if (tampers.length === 0) return;
    const { pipeline, engine, bootTimeNs } = this.#parts;
    if (tampers.some(({ what }) => BLIND.has(what))) pipeline.tellDetached(programsOf(tampers));
    const startNs = engine.process(Deno.pid, 0n)?.startNs ?? 0n;
    pipeline.takeMade(tampers.map((tamper) => (sequence): MadeRecord => ({
      bytes: tamperRecord(tamper, { sequence, timeNs: bootTimeNs(), pid: Deno.pid, startNs }),
      sources: SOURCES,
      fields: {},
      onlyIfFound: false,
    })));
  }
}

/** Names of the programs that were found not attached. */
function programsOf(tampers: readonly Tamper[]): string[] {
  const names = tampers.filter(({ what }) => what === "detached")
    .map(({ object }) => object.replace(/^program /, ""));
  return [...new Set(names)];
}

/** Of the process, and of this thread, which reads the sensor. */
function tracerOf(library: LibraryOptions): number {
  for (const path of [`/proc/${Deno.pid}/status`, "/proc/thread-self/status"]) {
    const tracer = Number(/^TracerPid:\t(\d+)$/m.exec(factText(path, library))?.[1] ?? 0);
    if (tracer > 0) return tracer;
  }
  return 0;
}

function oomScoreAdj(library: LibraryOptions): number | undefined {
  const text = factText(`/proc/${Deno.pid}/oom_score_adj`, library).trim();
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}

function factText(path: string, library: LibraryOptions): string {
  const bytes = readFact(path, { ...library, bytesMax: STATUS_BYTES_MAX });
  return bytes === undefined ? "" : new TextDecoder().decode(bytes);
}
