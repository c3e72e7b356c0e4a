import type { EnforcementOptions } from "../agent/enforce/enforcement.ts";
import { parseEnforcement } from "../agent/enforce/parse.ts";
import type { EnforcementPolicy } from "../agent/enforce/policy.ts";
import { POLICY_TEXT_BYTES_MAX } from "../agent/enforce/policy.ts";
import { AuditLog } from "../common/audit/mod.ts";
import { type Config, ImmuneError, statePaths } from "../common/config/mod.ts";
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

function readPolicy(file: string): string {
  try {
    const { size, mode, isFile } = Deno.statSync(file);
    const refuse = (why: string): never => {
      throw new ImmuneError("CONFIG_INVALID", `Cannot use enforcement policy "${file}": ${why}`);
    };
    if (!isFile) refuse("it is no file");
    if (size > POLICY_TEXT_BYTES_MAX) refuse(`"${size}" bytes are over ${POLICY_TEXT_BYTES_MAX}`);
    if (((mode ?? 0) & 0o022) !== 0) refuse(`others may write it; run "chmod go-w ${file}"`);
    return Deno.readTextFileSync(file);
  } catch (cause) {
    if (cause instanceof ImmuneError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("FILE_UNREADABLE", `Cannot read enforcement policy "${file}": ${why}`, {
      cause,
    });
  }
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

/** Writes what was refused, and what of it was verified, into the agent's audit log. */
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
      this.#log.append({
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
      }).then(() => this.#failing = false, (error: Error) => this.#fail(error));
    }
  }

  /** Lets the log go. */
  [Symbol.dispose](): void {
    this.#log[Symbol.dispose]();
  }

  #fail(error: Error): void {
    if (!this.#failing) this.#onWarning(`${error.message}; what is refused is in the journal`);
    this.#failing = true;
  }
}
