import { AuditLog } from "../../common/audit/mod.ts";
import { FakeClock } from "../../common/config/mod.ts";
import {
  makeStopKey,
  type NewStopKey,
  type SigningKey,
  withStopKey,
} from "../../common/keys/mod.ts";
import {
  directiveBytes,
  type DirectiveContent,
  EVERY_HOST,
  sealDirective,
} from "../../common/wire/mod.ts";
import { createApi } from "../../hive/api/app.ts";
import { Commands } from "../../hive/command/commands.ts";
import { DirectiveKeyFile } from "../../hive/command/key_file.ts";
import { AntibodySetFiles } from "../../hive/command/antibody_sets.ts";
import { PackFiles } from "../../hive/command/packs.ts";
import { Signer } from "../../hive/command/signer.ts";
import { TrustKeeper } from "../../hive/fleet/mod.ts";
import {
  hashSecret,
  newSecret,
  Operators,
  type OperatorsOptions,
} from "../../hive/operators/mod.ts";
import { SqliteStore } from "../../hive/store/mod.ts";

/** When it is. */
export const NOW_MS = Date.UTC(2026, 10, 22, 12);
/** Whose orders. */
export const FLEET = "f1".repeat(16);
/** The one agent, and its host. */
export const AGENT_ID = "11111111-2222-4333-8444-555555555555";
const HOST = "a5".repeat(32);

/** A request. */
export interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  /** Default: the operator token; empty: none. */
  readonly token?: string;
}

/** The operators' side of a hive that gives orders, and what went out. */
export interface OrdersTarget {
  readonly clock: FakeClock;
  readonly operators: Operators;
  readonly store: SqliteStore;
  readonly commands: Commands;
  readonly signer: Signer;
  readonly stop: NewStopKey;
  /** Kind and number of every directive, as it went out. */
  readonly sent: string[];
  ask(path: string, asked?: Asked): Promise<Response>;
  /** An API token of somebody with a role; it names the account. */
  tokenOf(role: string, name?: string): Promise<string>;
}

/**
 * Runs an attack on a hive that gives orders.
 *
 * @param attack The attack.
 * @param options What differs from the default of its operators.
 */
export async function againstOrders(
  attack: (target: OrdersTarget) => Promise<void>,
  options: Partial<OperatorsOptions> = {},
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const clock = new FakeClock(NOW_MS);
  const store = new SqliteStore(`${folder}/store.db`, { clock });
  await store.addAgent({ id: AGENT_ID, hostId: HOST, hostName: "a" }, "9".repeat(64));
  const audit = AuditLog.open(`${folder}/audit`, { clock });
  const token = newSecret();
  const operators = new Operators({
    tokenHash: hashSecret(token),
    store,
    audit,
    clock,
    ...options,
  });
  const signer = new Signer(await DirectiveKeyFile.open(folder), { fleet: FLEET, clock });
  const sent: string[] = [];
  const commands = new Commands({
    fleet: FLEET,
    store,
    signer,
    directiveKey: signer.publicKey.toHex(),
    packs: new PackFiles(folder),
    sets: new AntibodySetFiles(folder),
    publish: ({ kind, number }: { kind?: string; number: number }) =>
      void sent.push(`${kind} ${number}`),
    clock,
  });
  const trust = await TrustKeeper.open(folder, { clock });
  const api = createApi({ store, operators, audit, version: "9", clock, commands, trust });
  const ask: OrdersTarget["ask"] = async (path, asked = {}) => {
    const { body, method = body === undefined ? "GET" : "POST" } = asked;
    return await api.request(`/api/v1${path}`, {
      method,
      headers: {
        ...(asked.token === "" ? {} : { authorization: `Bearer ${asked.token ?? token}` }),
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  };
  const tokenOf: OrdersTarget["tokenOf"] = async (role, name = role) => {
    const accounts = await operators.accounts.list();
    const isKnown = accounts.some((account) => account.name === name);
    if (!isKnown) await operators.accounts.add({ name, role: "admin" });
    const account = await operators.accounts.known(name);
    await operators.accounts.change(account.id, (now) => ({ ...now, role: role as "admin" }));
    const body = { name: "ci", role, expires: "1d", user: name };
    return (await (await ask("/tokens", { body })).json()).text;
  };
  const stop = await makeStopKey();
  try {
    await attack({ clock, operators, store, commands, signer, stop, sent, ask, tokenOf });
  } finally {
    trust[Symbol.dispose]();
    commands[Symbol.dispose]();
    audit[Symbol.dispose]();
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** What differs from a directive of this fleet and this moment. */
export interface DirectiveOptions {
  readonly fleet?: string;
  readonly ageMs?: number;
}

/**
 * A directive for every host, signed by a key.
 *
 * @param key Which.
 * @param content What it says.
 * @param options Which fleet, and how old it is.
 * @returns Base64.
 */
export async function signed(
  key: SigningKey,
  content: DirectiveContent,
  options: DirectiveOptions = {},
): Promise<string> {
  const { fleet = FLEET, ageMs = 0 } = options;
  const head = { fleet, target: EVERY_HOST, number: NOW_MS - ageMs, issuedMs: NOW_MS - ageMs };
  const bytes = directiveBytes({ ...head, expiresMs: NOW_MS + 60_000 - ageMs, ...content });
  return sealDirective(bytes, await key.sign("stop", bytes)).toBase64();
}

/**
 * The same, signed by the real stop key.
 *
 * @param target Whose.
 * @param content What it says.
 * @param options Which fleet, and how old it is.
 */
export function byHolders(
  target: Pick<OrdersTarget, "stop">,
  content: DirectiveContent,
  options: DirectiveOptions = {},
): Promise<string> {
  const { facts, shares } = target.stop;
  return withStopKey(facts, { shares, use: (key) => signed(key, content, options) });
}

/** Every host's own rules. */
export const RULES = { order: { kind: "rules", body: { pack: null } } } as const;
/** A stop. */
export const STOP = { kind: "stop", body: { action: "stop" } } as const;
