import { createHash } from "node:crypto";
import { type Antibody, antibodyId, type AntibodyType } from "../../common/herd/antibody.ts";
import { NO_OWN_THINGS } from "../../common/herd/protected.ts";
import { writeAntibodySet } from "../../common/herd/set.ts";
import type { TakeRequest } from "./messages.ts";
import { SetFolder } from "./set_folder.ts";

/** When everything here happens. */
export const NOW_MS = Date.UTC(2026, 10, 22, 12);
/** How long an antibody here holds, in milliseconds. */
export const LIFE_MS = 3_600_000;

/** A rule that an antibody may be. */
export const RULE = `title: A dropper
id: 11111111-2222-4333-8444-555555555555
logsource: { product: linux, category: process_creation }
detection:
  selection: { CommandLine|contains: "xmrig --donate" }
  condition: selection
`;

/** An antibody that holds, but for what the changes say. */
// deno-lint-ignore immune/argument-count -- what it is of, and what differs
export function antibody(
  type: AntibodyType,
  value: string,
  changes: Partial<Antibody> = {},
): Antibody {
  return {
    id: antibodyId({ type, value }),
    type,
    value,
    action: "watch",
    reason: "seen in an attack",
    evidence: ["0f".repeat(16)],
    madeMs: NOW_MS,
    expiresMs: NOW_MS + LIFE_MS,
    ...changes,
  };
}

/** A set with its hash. */
export interface TestSet {
  readonly hash: string;
  readonly bytes: Uint8Array;
}

/** A set as a hive sends it. */
export function setOf(antibodies: readonly unknown[], number = 1): TestSet {
  const bytes = writeAntibodySet({ number, antibodies: antibodies as readonly Antibody[] });
  return { hash: createHash("sha256").update(bytes).digest("hex"), bytes };
}

/** A host's folder, with the sets that are put there. */
export class TestHost implements AsyncDisposable {
  readonly agent: string;
  readonly sets: SetFolder;

  private constructor(agent: string) {
    this.agent = agent;
    this.sets = new SetFolder(agent);
  }

  static async open(): Promise<TestHost> {
    return new TestHost(await Deno.makeTempDir());
  }

  get indicators(): string {
    return `${this.agent}/indicators`;
  }

  /** What the Worker is asked, with sets that are there. */
  request(
    { fleet, host }: { readonly fleet?: TestSet; readonly host?: TestSet },
    changes: Partial<TakeRequest> = {},
  ): TakeRequest {
    for (const set of [fleet, host]) if (set !== undefined) this.sets.add(set.hash, set.bytes);
    return {
      agent: this.agent,
      indicators: this.indicators,
      wanted: { fleet: fleet?.hash ?? null, host: host?.hash ?? null },
      own: NO_OWN_THINGS,
      nowMs: NOW_MS,
      ...changes,
    };
  }

  /** Names of the files of rules. */
  ruleFiles(): readonly string[] {
    if (!this.sets.hasRules) return [];
    return [...Deno.readDirSync(this.sets.rules)].map(({ name }) => name).toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.agent, { recursive: true });
  }
}
