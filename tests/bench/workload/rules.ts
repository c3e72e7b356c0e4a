import { stringify } from "yaml";
import type { Random } from "../../support/random.ts";
import { type Corpus, type Detection, isMap, type RuleShape } from "./corpus.ts";

/** A rule of the workload. */
export interface WorkRule {
  readonly category: string;
  readonly detection: Detection;
  /** As a file has it. */
  readonly text: string;
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";
/** Draws until a literal is one that no rule has; the shortest ones run out. */
const DRAWS_MAX = 8;

/** Makes rules that are built as those of the corpus and look for other texts. */
export class RuleMaker {
  readonly #corpus: Corpus;
  readonly #random: Random;
  readonly #literals = new Set<string>();
  #made = 0;

  /**
   * @param corpus What rules are like.
   * @param random Choices.
   */
  constructor(corpus: Corpus, random: Random) {
    this.#corpus = corpus;
    this.#random = random;
  }

  /** Distinct texts so far. */
  get literals(): number {
    return this.#literals.size;
  }

  /** Makes a rule with as many texts as a rule of the corpus, built as the nearest one for Linux. */
  make(): WorkRule {
    const wanted = this.#random.pick(this.#corpus.valuesPerRule);
    const distance = ({ values }: RuleShape): number => Math.abs(values - wanted);
    const least = Math.min(...this.#corpus.shapes.map(distance));
    const shape = this.#random.pick(
      this.#corpus.shapes.filter((one) => distance(one) === least),
    );
    const { condition, ...selections } = shape.detection;
    const detection = {
      ...Object.fromEntries(
        Object.entries(selections).map(([name, value]) => [name, this.#selection(value)]),
      ),
      condition,
    };
    const number = this.#made++;
    const text = stringify({
      title: `Workload ${number}`,
      id: `workload-${number}`,
      logsource: { category: shape.category, product: "linux" },
      level: "medium",
      detection,
    }, { lineWidth: 0, aliasDuplicateObjects: false });
    return { category: shape.category, detection, text };
  }

  #selection(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((entry: unknown) => this.#selection(entry));
    if (!isMap(value)) return this.#value(value, []);
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => {
        const [field = "", ...modifiers] = key.split("|");
        if (field === "Initiated") return [key, inner];
        const values: readonly unknown[] = Array.isArray(inner) ? inner : [inner];
        const made = values.map((one) => this.#value(one, modifiers));
        return [key, Array.isArray(inner) ? made : made[0]];
      }),
    );
  }

  #value(value: unknown, modifiers: readonly string[]): unknown {
    if (typeof value === "number") return 1 + this.#random.below(65_535);
    if (typeof value !== "string") return value;
    if (modifiers.includes("cidr")) {
      return `${this.#random.below(224)}.${this.#random.below(256)}.${
        this.#random.below(256)
      }.0/24`;
    }
    // Words of three letters and more, but for names of classes and what a backslash names.
    const other = modifiers.includes("re") ? /(?<![\\[:a-z])[a-z]{3,}(?![\]:])/gi : /[a-z0-9]+/gi;
    for (let draw = 0;; draw++) {
      const letters = draw < DRAWS_MAX / 2 ? other : /[^*?\\]/g;
      const text = value.replaceAll(letters, (word) => this.#word(word.length));
      const isNew = !this.#literals.has(text);
      this.#literals.add(text);
      if (isNew || modifiers.includes("re") || draw === DRAWS_MAX) return text;
    }
  }

  #word(length: number): string {
    return Array.from({ length }, () => LETTERS.charAt(this.#random.below(LETTERS.length))).join(
      "",
    );
  }
}
