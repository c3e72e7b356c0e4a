import type { ReferenceEvent } from "./event.ts";

/** What an event fulfils or does not. */
export type Predicate = (event: ReferenceEvent) => boolean;

const WORDS = /[()]|[^\s()]+/g;

/**
 * Reads a condition: `not` before `and`, `and` before `or`.
 *
 * @param text The condition.
 * @param selections The rule's selections by name.
 * @returns The condition over them.
 */
export function conditionOf(
  text: string,
  selections: ReadonlyMap<string, Predicate>,
): Predicate {
  const words = text.match(WORDS) ?? [];
  let next = 0;
  const accept = (word: string): boolean => {
    if (words[next]?.toLowerCase() !== word) return false;
    next++;
    return true;
  };
  const take = (): string => {
    const word = words[next++];
    if (word === undefined) throw new SyntaxError(`Condition "${text}" ends too early`);
    return word;
  };
  const or = (): Predicate => {
    const of = [and()];
    while (accept("or")) of.push(and());
    return (event) => of.some((one) => one(event));
  };
  const and = (): Predicate => {
    const of = [not()];
    while (accept("and")) of.push(not());
    return (event) => of.every((one) => one(event));
  };
  const not = (): Predicate => {
    if (!accept("not")) return operand();
    const inner = not();
    return (event) => !inner(event);
  };
  const operand = (): Predicate => {
    if (accept("(")) {
      const inner = or();
      if (!accept(")")) throw new SyntaxError(`Condition "${text}" lacks a bracket`);
      return inner;
    }
    const word = take();
    if (accept("of")) return some(word.toLowerCase(), namesLike(take(), selections));
    const selection = selections.get(word);
    if (selection === undefined) throw new SyntaxError(`No selection is called "${word}"`);
    return selection;
  };
  const whole = or();
  if (next !== words.length) throw new SyntaxError(`Condition "${text}" goes on too long`);
  return whole;
}

function some(count: string, of: readonly Predicate[]): Predicate {
  const wanted = count === "all" ? of.length : count === "any" ? 1 : Number(count);
  if (!Number.isInteger(wanted)) throw new SyntaxError(`"${count} of" is no number`);
  return (event) => of.filter((one) => one(event)).length >= wanted;
}

/** Selections of a pattern; those with `_` first are meant only by a pattern with `_` first. */
function namesLike(
  pattern: string,
  selections: ReadonlyMap<string, Predicate>,
): readonly Predicate[] {
  const wanted = pattern.toLowerCase() === "them" ? "*" : pattern;
  const like = new RegExp(`^${wanted.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
  const found = [...selections].filter(([name]) =>
    like.test(name) && (wanted.startsWith("_") || !name.startsWith("_"))
  );
  if (found.length === 0) throw new SyntaxError(`No selection is like "${pattern}"`);
  return found.map(([, predicate]) => predicate);
}
