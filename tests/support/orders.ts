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
import { NOON_MS, openTestHive, type TestHive } from "../../hive/api/_test_support.ts";
import { Commands } from "../../hive/command/commands.ts";
import { DirectiveKeyFile } from "../../hive/command/key_file.ts";
import { AntibodySetFiles } from "../../hive/command/antibody_sets.ts";
import { PackFiles } from "../../hive/command/packs.ts";
import { Signer } from "../../hive/command/signer.ts";
import { TrustKeeper } from "../../hive/fleet/mod.ts";
import type { OperatorsOptions } from "../../hive/operators/mod.ts";

/** Whose orders. */
export const FLEET = "f1".repeat(16);

/** A hive that gives orders and has certificates, and what went out. */
export interface OrderingHive extends TestHive {
  readonly commands: Commands;
  readonly signer: Signer;
  /** A stop key that the hive does not know yet. */
  readonly stop: NewStopKey;
  /** Kind and number of every directive, as it went out. */
  readonly sent: string[];
}

/**
 * Makes it.
 *
 * @param operators What differs from the default of its operators.
 */
export async function openOrderingHive(
  operators: Partial<OperatorsOptions> = {},
): Promise<OrderingHive> {
  const sent: string[] = [];
  const ends = new DisposableStack();
  let parts: { commands: Commands; signer: Signer } | undefined;
  const hive = await openTestHive(async ({ store, clock, folder }) => {
    const signer = new Signer(await DirectiveKeyFile.open(folder), { fleet: FLEET, clock });
    const commands = ends.use(
      new Commands({
        fleet: FLEET,
        store,
        signer,
        directiveKey: signer.publicKey.toHex(),
        packs: new PackFiles(folder),
        sets: new AntibodySetFiles(folder),
        publish: ({ kind, number }: { kind?: string; number: number }) =>
          void sent.push(`${kind} ${number}`),
        clock,
      }),
    );
    parts = { commands, signer };
    return { commands, trust: ends.use(await TrustKeeper.open(folder, { clock })) };
  }, operators);
  if (parts === undefined) throw new Error("The hive was made without its parts");
  return {
    ...hive,
    ...parts,
    stop: await makeStopKey(),
    sent,
    async [Symbol.asyncDispose](): Promise<void> {
      ends.dispose();
      await hive[Symbol.asyncDispose]();
    },
  };
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
  const issuedMs = NOON_MS - ageMs;
  const head = { fleet, target: EVERY_HOST, number: issuedMs, issuedMs };
  const bytes = directiveBytes({ ...head, expiresMs: issuedMs + 60_000, ...content });
  return sealDirective(bytes, await key.sign("stop", bytes)).toBase64();
}

/**
 * The same, signed by the real stop key.
 *
 * @param hive Whose.
 * @param content What it says.
 * @param options Which fleet, and how old it is.
 */
export function byHolders(
  { stop: { facts, shares } }: Pick<OrderingHive, "stop">,
  content: DirectiveContent,
  options: DirectiveOptions = {},
): Promise<string> {
  return withStopKey(facts, { shares, use: (key) => signed(key, content, options) });
}

/** Every host's own rules. */
export const RULES = { order: { kind: "rules", body: { pack: null } } } as const;
/** A stop. */
export const STOP = { kind: "stop", body: { action: "stop" } } as const;
