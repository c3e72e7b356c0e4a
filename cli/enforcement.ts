import type { EnforcementOptions } from "../agent/enforce/enforcement.ts";
import { parseEnforcement } from "../agent/enforce/parse.ts";
import type { EnforcementPolicy } from "../agent/enforce/policy.ts";
import { POLICY_TEXT_BYTES_MAX } from "../agent/enforce/policy.ts";
import { type AuditFact, AuditLog } from "../common/audit/mod.ts";
import { type Config, ImmuneError, statePaths, strangersHand } from "../common/config/mod.ts";
import type { Alert } from "../common/wire/mod.ts";

/** Most homes that `~/` stands for. */
const HOMES_MAX = 256;
const PASSWD = "/etc/passwd";

/**
 * The enforcement policy of a configuration.
 *
 * @param config The configuration.
 * @returns The policy, `undefined` where none is named.
 * @throws {ImmuneError} `FILE_UNREADABLE`, or `CONFIG_INVALID` with the line that does not hold.
 */
export function enforcementPolicy({ enforcement }: Config): EnforcementPolicy | undefined {
  const file = enforcement.policy;
  if (file === "") return undefined;
  return parseEnforcement(readPolicy(file), { file, homes: homes() });
}

/**
 * How a configuration enforces.
 *
 * @param config The configuration.
 * @param options Whether it begins without refusing anything.
 */
export function enforcementOptions(
  config: Config,
  { paused }: { readonly paused: boolean },
): EnforcementOptions | undefined {
  const policy = enforcementPolicy(config);
  if (policy === undefined) return undefined;
  const { when_agent_ends: end, pin_path: pinPath } = config.enforcement;
  return { policy, pinned: end === "pinned", pinPath, paused };
}

/** Looked at and read by one descriptor: nobody puts another file in its place between the two. */
function readPolicy(path: string): string {
  const refuse = (why: string): never => {
    throw new ImmuneError("CONFIG_INVALID", `Cannot use enforcement policy "${path}": ${why}`);
  };
  try {
    // Opening a named pipe would wait for its writer.
    if (!Deno.statSync(path).isFile) refuse("it is no file");
    using file = Deno.openSync(path, { read: true });
    const info = file.statSync();
    if (!info.isFile) refuse("it is no file");
    if (info.size > POLICY_TEXT_BYTES_MAX) {
      refuse(`"${info.size}" bytes are over ${POLICY_TEXT_BYTES_MAX}`);
    }
    const uids = [...new Set([0, Deno.uid() ?? 0])];
    const rule = { path, uids, forbidden: 0o022, hint: `run "chown root ${path}"` };
    const hand = strangersHand(info, rule);
    if (hand !== undefined) refuse(hand);
    const text = readBounded(file);
    return text ?? refuse("it grows while it is read");
  } catch (cause) {
    if (cause instanceof ImmuneError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("FILE_UNREADABLE", `Cannot read enforcement policy "${path}": ${why}`, {
      cause,
    });
  }
}

/** `undefined` when there is more than a policy may have: the file grew since it was looked at. */
function readBounded(file: Deno.FsFile): string | undefined {
  const bytes = new Uint8Array(POLICY_TEXT_BYTES_MAX + 1);
  let length = 0;
  for (let read: number | null = 0; read !== null && length < bytes.length;) {
    read = file.readSync(bytes.subarray(length));
    length += read ?? 0;
  }
  const isWhole = length <= POLICY_TEXT_BYTES_MAX;
  return isWhole ? new TextDecoder().decode(bytes.subarray(0, length)) : undefined;
}

/** Home folders of the users of this host, each once. */
function homes(): readonly string[] {
  try {
    const found = Deno.readTextFileSync(PASSWD).split("\n")
      .map((line) => line.split(":")[5] ?? "")
      .filter((home) => home.startsWith("/") && home !== "/");
    return [...new Set(found)].slice(0, HOMES_MAX);
  } catch {
    return [];
  }
}

/** A switch of all enforcement, and what came of it. */
export interface Switched {
  /** Whether this host is to refuse. */
  readonly wanted: boolean;
  /** Whether the kernel does, asked afterwards. */
  readonly refuses: boolean;
  readonly finding: string;
}

/**
 * Writes what was refused, what of it was verified, and when nothing was any more, into the agent's
 * audit log.
 */
export class EnforcementAudit implements Disposable {
  readonly #log: AuditLog;
  readonly #onWarning: (message: string) => void;
  #failing = false;

  /**
   * @param config Where the state folder is.
   * @param onWarning Told when an entry cannot be written; the refusal stands all the same.
   */
  constructor({ state }: Config, onWarning: (message: string) => void) {
    this.#log = AuditLog.open(`${statePaths(state.dir).agent}/audit`);
    this.#onWarning = onWarning;
  }

  /** Takes the alerts that are of verdicts. */
  take(alerts: readonly Alert[]): void {
    for (const { enforcement, rule, process, file, destination, source } of alerts) {
      if (enforcement === undefined) continue;
      const { action, tier, outcome, verified = false, finding = "" } = enforcement;
      const end = destination ?? source;
      const acted = outcome === "refused" || outcome === "killed";
      this.#append({
        actor: { kind: "agent", id: "enforcement", name: enforcement.name ?? rule.title },
        action: `enforcement.${action}`,
        object: file?.path ?? (end === undefined ? "" : `${end.ip} port ${end.port}`),
        decision: acted ? (verified ? "done" : "failed") : "allowed",
        detail: {
          tier,
          outcome,
          verified,
          finding,
          policy: enforcement.policy,
          pid: process?.pid ?? 0,
          program: process?.executable ?? "",
        },
      });
    }
  }

  /** Takes a switch by the dead man's switch. */
  switched({ wanted, refuses, finding }: Switched): void {
    this.#append({
      actor: { kind: "agent", id: "enforcement", name: "dead man's switch" },
      action: wanted ? "enforcement.resume" : "enforcement.pause",
      object: "",
      decision: wanted === refuses ? "done" : "failed",
      detail: { finding },
    });
  }

  /** Lets the log go. */
  [Symbol.dispose](): void {
    this.#log[Symbol.dispose]();
  }

  #append(fact: AuditFact): void {
    this.#log.append(fact)
      .then(() => this.#failing = false, (error: Error) => this.#fail(error));
  }

  #fail(error: Error): void {
    if (!this.#failing) this.#onWarning(`${error.message}; what is refused is in the journal`);
    this.#failing = true;
  }
}
