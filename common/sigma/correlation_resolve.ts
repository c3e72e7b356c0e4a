import type { Condition } from "./condition.ts";
import type { CorrelationDraft } from "./correlation_document.ts";
import type {
  CorrelationCondition,
  CorrelationMember,
  CorrelationRule,
  MemberExpression,
} from "./correlation_rule.ts";
import { CORRELATION_DEPTH_MAX } from "./limits.ts";
import { namesLike } from "./names_like.ts";
import { invalid, RuleProblem } from "./problem.ts";

/** A correlation and the file that it is from. */
export interface PlacedDraft {
  readonly draft: CorrelationDraft;
  readonly path: string;
}

/** What correlations can refer to. */
export interface ResolveOptions {
  /** Loaded rules, in the order of the rule set. */
  readonly rules: readonly { readonly id: string; readonly name: string }[];
  /** Ids and names of what did not load. */
  readonly missing: ReadonlySet<string>;
}

/** Correlations whose references hold, and the problems of the others. */
export interface ResolvedCorrelations {
  /** A correlation stands behind those that it refers to. */
  readonly correlations: readonly CorrelationRule[];
  readonly problems: ReadonlyMap<PlacedDraft, RuleProblem>;
}

/**
 * Looks up what correlations refer to.
 *
 * @param drafts Correlations as they were written.
 * @param options What there is to refer to.
 * @returns Correlations with numbers for references; problems of those that refer to what is not
 * there, or round in a circle.
 */
export function resolveCorrelations(
  drafts: readonly PlacedDraft[],
  options: ResolveOptions,
): ResolvedCorrelations {
  const resolver = new Resolver(drafts, options);
  for (const draft of drafts) resolver.resolve(draft, []);
  return resolver;
}

type Target =
  | { readonly kind: "rule"; readonly index: number }
  | { readonly kind: "correlation"; readonly draft: PlacedDraft };

/** A chain is followed further than it may be long; the correlation that it starts from is refused. */
class TooDeep extends Error {
  override readonly name = "TooDeep";
}

class Resolver implements ResolvedCorrelations {
  readonly correlations: CorrelationRule[] = [];
  readonly problems = new Map<PlacedDraft, RuleProblem>();
  readonly #targets = new Map<string, Target[]>();
  readonly #missing: ReadonlySet<string>;
  readonly #indexOf = new Map<PlacedDraft, number>();
  /** Levels of each loaded correlation, 1 for one of rules alone. */
  readonly #levels: number[] = [];

  constructor(drafts: readonly PlacedDraft[], { rules, missing }: ResolveOptions) {
    this.#missing = missing;
    rules.forEach((rule, index) => this.#offer(rule, { kind: "rule", index }));
    for (const draft of drafts) this.#offer(draft.draft, { kind: "correlation", draft });
  }

  #offer({ id, name }: { readonly id: string; readonly name: string }, target: Target): void {
    for (const reference of new Set(name === "" ? [id] : [id, name])) {
      const targets = this.#targets.get(reference);
      if (targets === undefined) this.#targets.set(reference, [target]);
      else targets.push(target);
    }
  }

  /**
   * The number of a correlation, or `undefined` when it does not load.
   *
   * @param placed The correlation.
   * @param above Correlations that refer to it, from the outermost on.
   */
  resolve(placed: PlacedDraft, above: readonly PlacedDraft[]): number | undefined {
    const known = this.#indexOf.get(placed);
    if (known !== undefined || this.problems.has(placed)) return known;
    try {
      const members = this.#members(placed, above);
      // A circle's problem is that of each of its correlations.
      if (this.problems.has(placed)) return undefined;
      const level = 1 + Math.max(...members.map((member) => this.#levelOf(member)));
      if (level > CORRELATION_DEPTH_MAX) throw tooDeep(placed);
      const index = this.correlations.push(ruleOf(placed, members)) - 1;
      this.#levels.push(level);
      this.#indexOf.set(placed, index);
      return index;
    } catch (error) {
      // Those below may be short enough for themselves.
      if (error instanceof TooDeep && above.length > 0) throw error;
      const problem = error instanceof TooDeep ? tooDeep(placed) : error;
      if (!(problem instanceof RuleProblem)) throw problem;
      if (!this.problems.has(placed)) this.problems.set(placed, problem);
      return undefined;
    }
  }

  #levelOf({ kind, index }: CorrelationMember): number {
    return kind === "rule" ? 0 : this.#levels[index] ?? 0;
  }

  #members(placed: PlacedDraft, above: readonly PlacedDraft[]): readonly CorrelationMember[] {
    const { draft } = placed;
    if (above.length >= CORRELATION_DEPTH_MAX) throw new TooDeep();
    const targets = draft.memberNames.map((reference, i) => this.#find(draft, reference, i));
    targets.forEach((target, i) => {
      if (targets.findIndex((other) => isSame(other, target)) !== i) {
        throw wrong(draft, `Correlation names "${draft.memberNames[i]}" twice`, i);
      }
    });
    const fieldsOf = this.#aliased(draft, targets);
    return targets.map((target, i) => {
      const reference = draft.memberNames[i] ?? "";
      const fields = {
        groupFields: draft.groupBy.map((name) => fieldsOf(name, i)),
        valueFields: draft.valueNames.map((name) => fieldsOf(name, i)),
      };
      if (target.kind === "rule") return { reference, ...target, ...fields };
      const index = this.#inner(target.draft, [...above, placed]);
      if (index !== undefined) return { reference, kind: "correlation", index, ...fields };
      throw this.problems.get(placed) ??
        wrong(draft, `Correlation refers to "${reference}", which did not load; mend it first`, i);
    });
  }

  #inner(placed: PlacedDraft, above: readonly PlacedDraft[]): number | undefined {
    const from = above.indexOf(placed);
    if (from < 0) return this.resolve(placed, above);
    const circle = above.slice(from);
    const names = [...circle, placed].map(({ draft }) => `"${draft.name || draft.id}"`);
    const reason = `Correlations refer to each other: ${names.join(" to ")}; break the circle`;
    for (const member of circle) this.problems.set(member, wrong(member.draft, reason));
    return undefined;
  }

  /** `place`: which of the correlation's rules it is. */
  #find(draft: CorrelationDraft, reference: string, place?: number): Target {
    const [target, another] = this.#targets.get(reference) ?? [];
    if (target !== undefined && another === undefined) return target;
    if (target !== undefined) {
      throw wrong(draft, `"${reference}" is the name of more than one rule; use ids`, place);
    }
    throw wrong(
      draft,
      this.#missing.has(reference)
        ? `Correlation refers to "${reference}", which did not load; mend it first`
        : `Correlation refers to "${reference}": no rule has this id or name`,
      place,
    );
  }

  /** Field of a member's events that a name of the correlation stands for. */
  #aliased(
    draft: CorrelationDraft,
    targets: readonly Target[],
  ): (name: string, member: number) => string {
    const fields = new Map<string, Map<number, string>>();
    for (const [alias, byReference] of draft.aliases) {
      const byMember = new Map<number, string>();
      for (const [reference, field] of Object.entries(byReference)) {
        const target = this.#find(draft, reference);
        const member = targets.findIndex((one) => isSame(one, target));
        if (member < 0) {
          throw wrong(draft, `Alias "${alias}" is for "${reference}", which is no member`);
        }
        byMember.set(member, field);
      }
      fields.set(alias, byMember);
    }
    return (name, member) => fields.get(name)?.get(member) ?? name;
  }
}

function tooDeep({ draft }: PlacedDraft): RuleProblem {
  return wrong(draft, `Correlations are nested deeper than ${CORRELATION_DEPTH_MAX} levels`);
}

function isSame(a: Target, b: Target): boolean {
  if (a.kind === "rule") return b.kind === "rule" && a.index === b.index;
  return b.kind === "correlation" && a.draft === b.draft;
}

function wrong({ document }: CorrelationDraft, reason: string, place?: number): RuleProblem {
  const path = ["correlation", "rules", ...(place === undefined ? [] : [place])];
  return invalid(reason, document.position(path));
}

function ruleOf(
  { draft, path }: PlacedDraft,
  members: readonly CorrelationMember[],
): CorrelationRule {
  const { document, memberNames, aliases: _, condition, percentile, ...kept } = draft;
  return {
    ...kept,
    path,
    line: document.start.line,
    members,
    condition: conditionOf(draft, { condition, memberNames }),
    ...(percentile === undefined ? {} : { percentile }),
  };
}

function conditionOf(
  draft: CorrelationDraft,
  { condition, memberNames }: Pick<CorrelationDraft, "condition" | "memberNames">,
): CorrelationCondition {
  if (!("kind" in condition)) return { kind: "bounds", bounds: condition };
  const used = new Set<number>();
  const refuse = (reason: string) =>
    invalid(reason, draft.document.position(["correlation", "condition"]));
  const member = (name: string): MemberExpression => {
    const place = memberNames.indexOf(name);
    if (place < 0) throw refuse(`Condition names "${name}", which is not in "rules"`);
    used.add(place);
    return { kind: "member", member: place };
  };
  const expressionOf = (inner: Condition): MemberExpression => {
    switch (inner.kind) {
      case "and":
      case "or":
        return { kind: inner.kind, of: inner.of.map(expressionOf) };
      case "not":
        return { kind: "not", of: expressionOf(inner.of) };
      case "of": {
        const of = namesLike(inner.names, memberNames).map(member);
        const count = inner.count === "all" ? of.length : inner.count;
        if (of.length === 0) throw refuse(`Condition names "${inner.names}": no rule is so`);
        if (count > of.length) throw refuse(`Condition wants ${count} of ${of.length} rules`);
        return { kind: "at_least", count, of };
      }
      case "name":
        return member(inner.name);
    }
  };
  const expression = expressionOf(condition);
  const unused = memberNames.find((_, i) => !used.has(i));
  if (unused !== undefined) throw refuse(`Condition leaves out "${unused}", which is in "rules"`);
  return { kind: "expression", expression };
}
