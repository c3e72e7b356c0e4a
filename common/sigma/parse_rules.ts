import { collect, type ReadDocument } from "./collection.ts";
import { parseCorrelation } from "./correlation_document.ts";
import type { PlacedDraft } from "./correlation_resolve.ts";
import { parseDocuments } from "./document.ts";
import { type Filter, filtered, isFor, parseFilter } from "./filter.ts";
import { TESTS_PER_SET_MAX } from "./limits.ts";
import { isPipeline, parsePipeline } from "./pipeline.ts";
import { invalid, type Position, RuleProblem } from "./problem.ts";
import { parseRole, type Role } from "./role.ts";
import { keyOf, rejectionOf, type RuleRejection } from "./rejection.ts";
import { parseRule, type Rule } from "./rule.ts";
import type { RuleOptions } from "./selection.ts";

/** Text of a rule file. */
export interface RuleSource {
  /** Name for messages: the file's path. */
  readonly path: string;
  readonly text: string;
  /** Why the file could not be read in full; it is then rejected as a whole. */
  readonly problem?: string;
}

/** A rule with its filters, and where it is from. */
export interface ParsedRule {
  readonly rule: Rule;
  readonly path: string;
  readonly document: ReadDocument;
}

/** A role document, and where it is from. */
export interface ParsedRole {
  readonly role: Role;
  readonly path: string;
  readonly document: ReadDocument;
}

/** What stands in rule files. */
export interface ParsedRules {
  readonly rules: readonly ParsedRule[];
  readonly correlations: readonly PlacedDraft[];
  readonly roles: readonly ParsedRole[];
  readonly rejected: readonly RuleRejection[];
  /** Ids and names of what did not load. */
  readonly missing: ReadonlySet<string>;
}

/** A document and its file. */
interface Placed {
  readonly document: ReadDocument;
  readonly path: string;
}

interface PlacedFilter {
  readonly filter: Filter;
  readonly path: string;
  readonly document: ReadDocument;
}

/**
 * Reads rule files.
 *
 * @param sources Rule files, in the order that decides which of two equal ids stays.
 * @param options Values of placeholders.
 * @returns Rules, their filters applied, and correlations; what cannot load is named.
 */
export function parseRules(
  sources: readonly RuleSource[],
  options: RuleOptions = {},
): ParsedRules {
  const documents = sources.flatMap((source) =>
    documentsOf(source).map((document) => ({ document, path: source.path }))
  );
  const reader = new Reader(options);
  // What rules need may stand behind them.
  for (const from of documents.filter(hasPipeline)) reader.readPipeline(from);
  for (const { document, path } of documents.filter((from) => !hasPipeline(from))) {
    reader.read(document, path);
  }
  return reader.end();
}

function hasPipeline({ document }: Placed): boolean {
  if (document instanceof RuleProblem) return false;
  const { value } = document;
  return typeof value === "object" && value !== null && isPipeline(value);
}

function documentsOf({ text, problem }: RuleSource): readonly ReadDocument[] {
  if (problem !== undefined) return [invalid(problem, { line: 1, column: 1 })];
  return collect(parseDocuments(text));
}

class Reader {
  readonly #options: RuleOptions;
  readonly #placeholders: Map<string, readonly string[]>;
  readonly #placeByPlaceholder = new Map<string, string>();
  readonly #rules: ParsedRule[] = [];
  readonly #correlations: PlacedDraft[] = [];
  readonly #filters: PlacedFilter[] = [];
  readonly #roles: ParsedRole[] = [];
  readonly #rejected: RuleRejection[] = [];
  readonly #missing = new Set<string>();
  readonly #placeById = new Map<string, string>();
  #tests = 0;

  constructor(options: RuleOptions) {
    this.#placeholders = new Map(options.placeholders);
    this.#options = { ...options, placeholders: this.#placeholders };
  }

  /** Values that the caller gave stay, and those of the first document. */
  readPipeline({ document, path }: Placed): void {
    this.#orReject({ document, path }, () => {
      if (document instanceof RuleProblem) throw document;
      const values = parsePipeline(document);
      for (const name of values.keys()) {
        const first = this.#placeByPlaceholder.get(name);
        if (first === undefined) continue;
        const reason = `Placeholder "${name}" has its values from ${first}; name it once`;
        throw invalid(reason, document.position(["vars", name]));
      }
      for (const [name, list] of values) {
        this.#placeByPlaceholder.set(name, `${path}:${document.start.line}`);
        if (!this.#placeholders.has(name)) this.#placeholders.set(name, list);
      }
    });
  }

  read(document: ReadDocument, path: string): void {
    this.#orReject({ document, path }, () => {
      if (document instanceof RuleProblem) throw document;
      if (hasKey(document.value, "correlation")) {
        const draft = parseCorrelation(document);
        this.#takeId(draft.id, path, document.start);
        this.#correlations.push({ draft, path });
      } else if (hasKey(document.value, "role")) {
        this.#roles.push({ role: parseRole(document, this.#options), path, document });
      } else if (hasKey(document.value, "filter")) {
        const filter = parseFilter(document, this.#options);
        this.#spend(filter.detection.tests, document.start);
        this.#takeId(filter.id, path, document.start);
        this.#filters.push({ filter, path, document });
      } else {
        const rule = parseRule(document, this.#options);
        this.#spend(rule.detection.tests, document.start);
        this.#takeId(rule.id, path, document.start);
        this.#rules.push({ rule, path, document });
      }
    });
  }

  /** Filters may stand anywhere, so that they come last. */
  end(): ParsedRules {
    for (const placed of this.#filters) this.#nameUnknown(placed);
    const rules: ParsedRule[] = [];
    for (const parsed of this.#rules) {
      this.#orReject(parsed, () => {
        const filters = this.#filters.map(({ filter }) => filter)
          .filter((filter) => isFor(filter, parsed.rule));
        const tests = filters.reduce((sum, { detection }) => sum + detection.tests, 0);
        this.#spend(tests, parsed.rule.position);
        rules.push({ ...parsed, rule: filtered(parsed.rule, filters) });
      });
    }
    return {
      rules,
      correlations: this.#correlations,
      roles: this.#roles,
      rejected: this.#rejected,
      missing: this.#missing,
    };
  }

  #orReject(
    from: Placed,
    work: () => void,
  ): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof RuleProblem)) throw error;
      this.#rejected.push(rejectionOf(error, from));
      for (const key of ["id", "name"] as const) {
        const reference = keyOf(from.document, key);
        if (reference !== undefined) this.#missing.add(reference);
      }
    }
  }

  /** Takes tests into account; a rule of too many is given up at once, with all that it made. */
  #spend(tests: number, position: Position): void {
    if (this.#tests + tests > TESTS_PER_SET_MAX) {
      const reason = `Rules up to this one have more than ${TESTS_PER_SET_MAX} field tests`;
      throw new RuleProblem("RULE_SET_TOO_LARGE", `${reason}; load fewer`, { position });
    }
    this.#tests += tests;
  }

  #takeId(id: string, path: string, position: Position): void {
    const first = this.#placeById.get(id);
    if (first !== undefined) {
      throw invalid(
        `Id "${id}" is already that of the rule at ${first}; give it another`,
        position,
      );
    }
    this.#placeById.set(id, `${path}:${position.line}`);
  }

  /** A filter works for the rules that are there; a name of none is most likely a mistake. */
  #nameUnknown({ filter, path, document }: PlacedFilter): void {
    if (filter.rules === "any") return;
    const known = new Set(this.#rules.flatMap(({ rule }) => [rule.id, rule.name]));
    const unknown = filter.rules.filter((reference) => !known.has(reference));
    if (unknown.length === 0) return;
    const reason = `Filter is for "${unknown.join('", "')}": no loaded rule has this id or name`;
    this.#rejected.push(rejectionOf(invalid(reason, filter.position), { path, document }));
  }
}

function hasKey(value: unknown, key: string): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.hasOwn(value, key);
}
