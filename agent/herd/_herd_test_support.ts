import { createHash } from "node:crypto";
import { NOW_MS } from "../../common/herd/_herd_test_support.ts";
import type { Antibody } from "../../common/herd/antibody.ts";
import { NO_OWN_THINGS } from "../../common/herd/protected.ts";
import { writeAntibodySet } from "../../common/herd/set.ts";
import type { TakeRequest } from "./messages.ts";
import { SetFolder } from "./set_folder.ts";

export { antibody, LIFE_MS, NOW_MS, RULE } from "../../common/herd/_herd_test_support.ts";

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
