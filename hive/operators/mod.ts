/**
 * Operators: who they are and what they may do.
 *
 * @example The API token, and a login link that works once
 * ```ts
 * import { can, hashSecret, newSecret, Operators } from "./mod.ts";
 *
 * const token = newSecret();
 * const operators = new Operators({ tokenHash: hashSecret(token) });
 * const session = operators.signIn(operators.addLoginCode(), "127.0.0.1");
 * const person = operators.principal({ authorization: undefined, session });
 * const program = operators.principal({ authorization: `Bearer ${token}`, session: undefined });
 * if (!can(person, "read", "console")) throw new Error("a person reads the console");
 * if (can(program, "read", "console")) throw new Error("a program has the API");
 * ```
 *
 * @module
 */
export * from "./can.ts";
export * from "./operators.ts";
export * from "./secret.ts";
export * from "./token_file.ts";
