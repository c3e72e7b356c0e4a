import type { Unfaithful } from "../sensors/control.ts";

/** Of these something of the kernel was not seen. */
const BLINDING: readonly Unfaithful["what"][] = ["program", "map"];

/** What the sensor itself was found to lack, each time that it begins; enforcement sees nothing. */
export class SensorFaults {
  /** What the first call of this look found that was not left by the last one. */
  #begun: readonly Unfaithful[] | undefined;
  /** What was not put right at the last call. */
  #left: ReadonlySet<string> = new Set();

  /**
   * Takes what a call found: of the calls of one look the first tells what begins, the last what is
   * left.
   *
   * @param rows Of the sensor alone.
   */
  take(rows: readonly Unfaithful[]): void {
    this.#begun ??= rows.filter((row) => !this.#left.has(keyOf(row)));
    this.#left = new Set(rows.filter(({ restored }) => !restored).map(keyOf));
  }

  /**
   * Ends a look.
   *
   * @returns Programs that were found not attached; `undefined` when nothing was missed.
   */
  end(): readonly string[] | undefined {
    const blinding = this.#begun?.filter(({ what }) => BLINDING.includes(what)) ?? [];
    this.#begun = undefined;
    if (blinding.length === 0) return undefined;
    const names = blinding.filter(({ what }) => what === "program").map(({ name }) => name);
    return [...new Set(names)];
  }
}

function keyOf({ what, name }: Unfaithful): string {
  return `${what} ${name}`;
}
