import { Enforcement } from "../../agent/enforce/enforcement.ts";
import {
  chooseTiers,
  encodeEnforcement,
  type EnforcementPolicy,
  Enforcer,
  parseEnforcement,
  resolveFiles,
  type Tier,
  type TierTrial,
  tryTiers,
} from "../../agent/enforce/mod.ts";
import type { RecordView } from "../../common/record/decode.ts";
import { KINDS } from "../../common/record/table.ts";
import { type VERDICT_ACTIONS } from "../../common/record/values.ts";
import { canLoadSensor } from "./host.ts";
import { compile, Probe } from "./probe.ts";

/** Trials of the tiers until none is silent: a busy host answers one too late now and then. */
const TRIALS_MAX = 5;

let trials: readonly TierTrial[] | undefined;

/** What this host's tiers do; known once a process has tried them. */
export function hostTiers(): readonly TierTrial[] {
  return trials ??= canLoadSensor() ? triedTiers() : [];
}

/** What worked once works here: what a test needs is not skipped for one that was slow. */
function triedTiers(): readonly TierTrial[] {
  let tried = tryTiers();
  for (let i = 1; i < TRIALS_MAX && tried.some(isSlow); i++) {
    const again = tryTiers();
    tried = tried.map((trial, at) => isSlow(trial) ? again[at] ?? trial : trial);
  }
  return tried;
}

/** Silent for want of time; LSM programs are where the kernel never calls them. */
function isSlow({ tier, state }: TierTrial): boolean {
  return tier !== "lsm" && state === "silent";
}

/** Whether a tier refuses an action here. */
export function hasTier(tier: Tier, action: keyof typeof VERDICT_ACTIONS): boolean {
  return hostTiers().some((trial) =>
    trial.tier === tier && trial.action === action && trial.state === "works"
  );
}

/** A test of one tier; where that tier does not work it is skipped (tests/skips.json). */
export function tierTest(
  name: string,
  { tier, action, isPossible = true, test }: {
    readonly tier: Tier;
    readonly action: keyof typeof VERDICT_ACTIONS;
    /** False where something else lacks that it needs, as tests/skips.json says. Default true. */
    readonly isPossible?: boolean;
    readonly test: () => void | Promise<void>;
  },
): void {
  const ignore = !isPossible || !hasTier(tier, action);
  Deno.test(`${tier} tier: ${name}`, { ignore }, test);
}

/** A sensor that enforces, and keeps what it gave. */
export class Refusals implements Disposable {
  readonly probe: Probe;
  readonly enforcer: Enforcer;
  readonly #homes: readonly string[];

  /**
   * @param policy Text of the policy.
   * @param options Tiers (default: as the host has them), and where to pin.
   */
  constructor(
    policy: string,
    options: {
      readonly tiers?: readonly Tier[];
      readonly pinned?: boolean;
      readonly paused?: boolean;
      readonly pinPath?: string;
      readonly roleId?: (name: string) => number | undefined;
      /** Directories that `~` stands for. Default: none. */
      readonly homes?: readonly string[];
    } = {},
  ) {
    this.#homes = options.homes ?? [];
    const { entries } = parse(policy, this.#homes);
    this.probe = new Probe({ kinds: ["exec", "fork", "exit", "verdict"] });
    try {
      this.enforcer = new Enforcer(this.probe.sensor, {
        ...options,
        tiers: options.tiers ?? chooseTiers(hostTiers(), entries),
      });
      try {
        this.set(policy, options.roleId);
      } catch (error) {
        this.enforcer.close();
        throw error;
      }
    } catch (error) {
      this.probe[Symbol.dispose]();
      throw error;
    }
  }

  /** Puts a policy in force. */
  set(policy: string, roleId?: (name: string) => number | undefined): void {
    this.enforcer.policy(this.blob(policy, roleId));
  }

  /** A policy as the loader takes it. */
  blob(policy: string, roleId?: (name: string) => number | undefined): Uint8Array<ArrayBuffer> {
    const parsed = parse(policy, this.#homes);
    return encodeEnforcement(parsed, {
      files: resolveFiles(parsed),
      wallOffsetNs: 0n,
      ...(roleId === undefined ? {} : { roleId }),
    });
  }

  /** Verdicts so far. */
  verdicts(): readonly RecordView[] {
    return this.probe.records.filter(({ kindId }) => kindId === KINDS.verdict.id);
  }

  /** Reads until there are so many verdicts. */
  until(count: number): readonly RecordView[] {
    this.probe.until(() => this.verdicts().length >= count);
    return this.verdicts();
  }

  [Symbol.dispose](): void {
    this.enforcer.close();
    this.probe[Symbol.dispose]();
  }
}

/** What {@linkcode enforcementOf} makes. */
interface EnforcementOfOptions {
  /** Text of the policy. */
  readonly policy: string;
  readonly paused?: boolean;
  /** Where to pin. Default: it is not pinned. */
  readonly pinPath?: string;
  readonly onWarning?: (message: string) => void;
  /** What a trial of the tiers says. Default: what they do here. */
  readonly tryTiers?: () => readonly TierTrial[];
  /** Default: that of this process. */
  readonly nowMs?: () => number;
}

/** What an agent's sensor enforces with. */
export function enforcementOf(
  probe: Probe,
  {
    policy,
    paused = false,
    pinPath,
    onWarning = () => {},
    tryTiers = hostTiers,
    nowMs = () => performance.now(),
  }: EnforcementOfOptions,
): Enforcement {
  return new Enforcement({
    policy: parseEnforcement(policy, { file: "test", homes: [] }),
    pinned: pinPath !== undefined,
    pinPath: pinPath ?? `/sys/fs/bpf/immune-test-${crypto.randomUUID()}`,
    paused,
  }, {
    sensor: probe.sensor,
    kernel: {},
    wallOffsetNs: () => 0n,
    roleId: () => undefined,
    onWarning,
    tryTiers,
    nowMs,
  });
}

/** A policy; without a number of its own as good as any number of actions a minute. */
function parse(text: string, homes: readonly string[]): EnforcementPolicy {
  const most = text.startsWith("actions_per_minute") ? "" : "actions_per_minute = 100000\n";
  return parseEnforcement(`${most}${text}`, { file: "test", homes });
}

/** A policy of one entry that blocks. */
export function blocking(action: keyof typeof VERDICT_ACTIONS, rest: string): string {
  return `[[entry]]\nname = "test"\naction = "${action}"\nmode = "block"\n${rest}\n`;
}

/** Compiles the static program that speaks; its path. */
export async function compileSpeaker(folder: string): Promise<string> {
  return await compile("speak", folder);
}

export { compile };
