import { randomNumbers } from "../bench/_random.ts";

/** Choices that a seed repeats. */
export class Random {
  readonly #below: (below: number) => number;

  /** @param seed Not 0. */
  constructor(seed: number) {
    this.#below = randomNumbers(seed);
    // Small seeds are alike at first.
    for (let i = 0; i < 16; i++) this.#below(2);
  }

  /** A whole number from 0 to `below - 1`. */
  below(below: number): number {
    return this.#below(below);
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.#below(most - least + 1);
  }

  /** True in so many of 100 cases. */
  chance(percent: number): boolean {
    return this.#below(100) < percent;
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError("Nothing to pick from");
    return list[this.#below(list.length)] as T;
  }

  /** What `make` gives, `least` to `most` times. */
  list<T>(
    make: () => T,
    { least, most }: { readonly least: number; readonly most: number },
  ): readonly T[] {
    return Array.from({ length: this.between(least, most) }, make);
  }
}
