import { assert, assertEquals } from "@std/assert";

/** One row of a table of attacks. */
export interface Attack<T> {
  /** What is tried, as its victim would tell it: `a token used a second time`. */
  readonly tries: string;
  /** What refuses it, as `attempt` gives it back. */
  readonly refused: string | RegExp;
  /**
   * Tries it.
   *
   * @param target What is attacked, fresh for this row.
   * @returns What the attacker was told, such as `403 TOKEN_INVALID`.
   */
  readonly attempt: (target: T) => Promise<string>;
}

/** What the rows of a table have in common. */
export interface AttackTable<T> {
  /** What is attacked, one word or two. */
  readonly subject: string;
  /**
   * Makes what a row attacks.
   *
   * @param attack Attacks it; what was made is ended behind it, whatever happens.
   */
  readonly against: (attack: (target: T) => Promise<void>) => Promise<void>;
}

/**
 * Makes a test of every row: the attack is really tried, and what came back is held against what
 * the row says.
 *
 * @param table Subject and target.
 * @param attacks The rows; each says something else.
 */
export function attackTable<T>(table: AttackTable<T>, attacks: readonly Attack<T>[]): void {
  checkRows(attacks);
  for (const attack of attacks) {
    Deno.test(`attack on ${table.subject}: ${attack.tries}`, async () => {
      await table.against((target) => tryOut(attack, target));
    });
  }
}

/** A table whose rows attack the same thing, one behind the other: making it takes long. */
export interface SharedAttackTable<S, T> {
  /** What is attacked, one word or two. */
  readonly subject: string;
  /** Makes what all rows attack. */
  readonly against: (attack: (shared: S) => Promise<void>) => Promise<void>;
  /** Makes of it what one row needs, as if no row had been before. */
  readonly afresh: (shared: S) => Promise<T>;
}

/**
 * As `attackTable`, each row a step of one test.
 *
 * @param table Subject and target.
 * @param attacks The rows; each says something else.
 */
export function sharedAttackTable<S, T>(
  table: SharedAttackTable<S, T>,
  attacks: readonly Attack<T>[],
): void {
  checkRows(attacks);
  Deno.test(`attack on ${table.subject}`, async (test) => {
    await table.against(async (shared) => {
      for (const attack of attacks) {
        await test.step(attack.tries, async () => tryOut(attack, await table.afresh(shared)));
      }
    });
  });
}

function checkRows(attacks: readonly { readonly tries: string }[]): void {
  assertEquals(new Set(attacks.map(({ tries }) => tries)).size, attacks.length);
}

async function tryOut<T>({ refused, attempt }: Attack<T>, target: T): Promise<void> {
  const seen = await attempt(target);
  const holds = typeof refused === "string" ? seen === refused : refused.test(seen);
  assert(holds, `The attacker was told "${seen}", not "${refused}"`);
}

/**
 * What an attacker hears of an answer: status and error code.
 *
 * @param response An answer of either side of a hive.
 */
export async function told(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => undefined);
  const code = (body as { readonly error?: { readonly code?: unknown } } | undefined)?.error?.code;
  return `${response.status} ${typeof code === "string" ? code : "without a code"}`;
}

/**
 * The code of what a call throws.
 *
 * @param call Is to throw.
 * @returns The error's code, its name where it has none, or `nothing` when it does not throw.
 */
export async function thrownBy(call: () => unknown): Promise<string> {
  try {
    await call();
    return "nothing";
  } catch (error) {
    const { code, name } = error as { readonly code?: string; readonly name?: string };
    return code ?? name ?? String(error);
  }
}
