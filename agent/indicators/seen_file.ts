import { readIfThere, replaceFile } from "../../common/config/durable_file.ts";

/** Listed values that are counted; over it the one that was seen longest ago goes. */
export const SEEN_MAX = 4096;
/** How often what was seen is put down, in milliseconds: what a crash may take from it. */
export const SEEN_SAVE_MS = 30_000;
const NAME = "seen";
const VERSION = 1;

/** How often this host saw a listed value. */
export interface Seen {
  readonly type: string;
  readonly value: string;
  readonly count: number;
  /** Unix time in milliseconds. */
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Counts which listed values were seen, in a file beside the set. */
export class SeenFile {
  /** By type and value, the one that was seen longest ago first. */
  readonly #seen: Map<string, Seen>;
  readonly #path: string;
  readonly #onWarning: (message: string) => void;
  #isChanged = false;
  #savedAt = performance.now();
  #failing = false;

  /**
   * Takes up what the last run counted.
   *
   * @param folder `StatePaths.indicators`.
   * @param options `onWarning` is told when it cannot be written.
   */
  constructor(folder: string, options: { readonly onWarning: (message: string) => void }) {
    this.#path = `${folder}/${NAME}`;
    this.#onWarning = options.onWarning;
    this.#seen = new Map(
      readSeen(folder).toSorted((a, b) => a.lastMs - b.lastMs).map((each) => [nameOf(each), each]),
    );
  }

  /**
   * Counts a value.
   *
   * @param value The listed value.
   * @param nowMs Unix time in milliseconds.
   */
  count({ type, value }: Pick<Seen, "type" | "value">, nowMs: number): void {
    const name = nameOf({ type, value });
    const { count = 0, firstMs = nowMs } = this.#seen.get(name) ?? {};
    this.#seen.delete(name);
    this.#seen.set(name, { type, value, count: count + 1, firstMs, lastMs: nowMs });
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > SEEN_MAX && oldest !== undefined) this.#seen.delete(oldest);
    this.#isChanged = true;
  }

  /** Puts it down when it is time. */
  saveIfDue(): void {
    if (performance.now() - this.#savedAt >= SEEN_SAVE_MS) this.save();
  }

  /** Puts it down, when there is something new. */
  save(): void {
    this.#savedAt = performance.now();
    if (!this.#isChanged) return;
    this.#isChanged = false;
    try {
      replaceFile(this.#path, JSON.stringify({ version: VERSION, seen: [...this.#seen.values()] }));
      this.#failing = false;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!this.#failing) this.#onWarning(`Cannot write "${this.#path}": ${why}; counts are lost`);
      this.#failing = true;
    }
  }
}

/**
 * Reads what was counted.
 *
 * @param folder `StatePaths.indicators`.
 * @returns One a value; none when there is no file, or one that does not hold.
 */
export function readSeen(folder: string): readonly Seen[] {
  try {
    const { version, seen } = JSON.parse(readIfThere(`${folder}/${NAME}`) ?? "{}");
    return version === VERSION && Array.isArray(seen) ? seen.filter(isSeen) : [];
  } catch {
    // Counts alone: a host goes on without them.
    return [];
  }
}

function isSeen(value: unknown): value is Seen {
  if (typeof value !== "object" || value === null) return false;
  const { type, value: text, count, firstMs, lastMs } = value as Record<string, unknown>;
  return typeof type === "string" && typeof text === "string" &&
    [count, firstMs, lastMs].every((number) => Number.isSafeInteger(number));
}

function nameOf({ type, value }: Pick<Seen, "type" | "value">): string {
  return `${type} ${value}`;
}
