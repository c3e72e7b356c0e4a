/** The image's pool of u32 words: lists (count, items...) and programs. Equal lists are one. */
export class WordPool {
  readonly #words: number[] = [];
  readonly #lists = new Map<string, number>();

  /** The pool starts with the empty list, at index 0. */
  constructor() {
    this.list([]);
  }

  /** All words so far. */
  get words(): readonly number[] {
    return this.#words;
  }

  /**
   * Adds a list.
   *
   * @param items Words of the list.
   * @returns Index of its count.
   */
  list(items: readonly number[]): number {
    const key = items.join(" ");
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const index = this.append([items.length, ...items]);
    this.#lists.set(key, index);
    return index;
  }

  /**
   * Adds words as they are.
   *
   * @param words Words.
   * @returns Index of the first.
   */
  append(words: readonly number[]): number {
    const index = this.#words.length;
    for (const word of words) this.#words.push(word);
    return index;
  }
}
