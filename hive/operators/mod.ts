/**
 * Operators: who they are, how they sign in, and what they may do.
 *
 * @example The operator token, and an account with its first link
 * ```ts
 * import { AuditLog } from "../../common/audit/mod.ts";
 * import { SqliteStore } from "../store/mod.ts";
 * import { can, hashSecret, newSecret, Operators } from "./mod.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const store = new SqliteStore(`${folder}/store.db`);
 * const audit = AuditLog.open(`${folder}/audit`);
 * const token = newSecret();
 * const operators = new Operators({ tokenHash: hashSecret(token), store, audit });
 *
 * const authorization = `Bearer ${token}`;
 * const owner = await operators.principal({ authorization, session: undefined });
 * const ada = await operators.people.add(owner, { name: "ada", role: "analyst" });
 *
 * const session = await operators.signIn(operators.addInvite(ada), "127.0.0.1");
 * const person = await operators.principal({ authorization: undefined, session });
 * if (!can(person, "read", "audit")) throw new Error("an analyst reads the audit log");
 * if (can(person, "create", "users")) throw new Error("only an admin adds people");
 *
 * audit[Symbol.dispose]();
 * await store.close();
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @module
 */
export * from "./account.ts";
export * from "./accounts.ts";
export * from "./api_tokens.ts";
export * from "./approval.ts";
export * from "./approvals.ts";
export * from "./can.ts";
export * from "./lockout.ts";
export * from "./oidc.ts";
export * from "./operators.ts";
export * from "./passkeys.ts";
export * from "./password.ts";
export * from "./people.ts";
export * from "./principal.ts";
export * from "./recorded.ts";
export * from "./role.ts";
export * from "./secret.ts";
export * from "./sessions.ts";
export * from "./sign_in.ts";
export * from "./token_file.ts";
