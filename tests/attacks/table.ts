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
  assertEquals(new Set(attacks.map(({ tries }) => tries)).size, attacks.length);
  for (const { tries, refused, attempt } of attacks) {
    Deno.test(`attack on ${table.subject}: ${tries}`, async () => {
      await table.against(async (target) => {
        const seen = await attempt(target);
        const holds = typeof refused === "string" ? seen === refused : refused.test(seen);
        assert(holds, `The attacker was told "${seen}", not "${refused}"`);
      });
    });
  }
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
