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
import { SensorFaults } from "./sensor_faults.ts";

const NS_PER_MS = 1_000_000n;
const STATUS_BYTES_MAX = 16 * 1024;
const SOURCES = [{ product: "linux", category: TAMPER_CATEGORY }] as const;

/** What looking after the agent works with. */
export interface SelfParts {
  readonly sensor: Pick<KernelSensor, "verify" | "policy">;
  /** Default: nothing is refused. */
  readonly enforcement: Pick<Enforcement, "verify" | "restore" | "weaknesses"> | undefined;
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
  readonly #faults = new SensorFaults();
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
      sensor: () => {
        const own = sensor.verify();
        this.#faults.take(own);
        return [...own, ...enforcement?.verify() ?? []];
      },
      restorePolicy: () => {
        sensor.policy(policy());
        enforcement?.restore();
      },
      weaknesses: () => enforcement?.weaknesses() ?? [],
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
    const tampers = this.#check.step();
    this.#tellUnseen(tampers);
    this.#tell(tampers);
    const now = performance.now();
    if (this.#run === undefined || now - this.#saidAt < VERIFY_INTERVAL_MS) return;
    this.#saidAt = now;
    this.#run.alive();
  }

  /** Says that the agent was asked to end. */
  end(): void {
    this.#run?.end();
  }

  /** While the sensor lacked a part, or the agent stood still, something was not seen. */
  #tellUnseen(tampers: readonly Tamper[]): void {
    const programs = this.#faults.end();
    const stoodStill = tampers.some(({ what }) => what === "stopped");
    if (programs === undefined && !stoodStill) return;
    this.#parts.pipeline.tellDetached(programs ?? []);
  }

  #tell(tampers: readonly Tamper[]): void {
    if (tampers.length === 0) return;
    const { pipeline, engine, bootTimeNs } = this.#parts;
    const startNs = engine.process(Deno.pid, 0n)?.startNs ?? 0n;
    pipeline.takeMade(tampers.map((tamper) => (sequence): MadeRecord => ({
      bytes: tamperRecord(tamper, { sequence, timeNs: bootTimeNs(), pid: Deno.pid, startNs }),
      sources: SOURCES,
      fields: {},
      onlyIfFound: false,
    })));
  }
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
