import * as z from "zod";
import type { Clock, Timer } from "../../common/config/clock.ts";
import { readIfThere, replaceFile } from "../../common/config/durable_file.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import {
  CANARY_STATES,
  DIRECTIVE_KIND_NAMES,
  type DirectiveKind,
  POLICY_OPENS,
  REFUSAL_CAUSES,
  type RefusalCause,
  RESULT_TEXT_MAX,
  RESULTS_MAX,
} from "../../common/wire/mod.ts";
import { commandPath } from "./command_path.ts";

/** Numbers of each stream that are remembered, to tell a repetition from a late one. */
export const SEEN_MAX = 256;

const hex = (bytes: number): z.ZodString =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const count = z.int().nonnegative();
const kind = z.enum(DIRECTIVE_KIND_NAMES as [DirectiveKind, ...DirectiveKind[]]);
const stream = z.enum(["directive", "canary", "stop"]);
const perStream = <T extends z.ZodType>(
  each: T,
): z.ZodObject<{ directive: T; canary: T; stop: T }> =>
  z.strictObject({ directive: each, canary: each, stop: each });

const resultSchema = z.strictObject({
  sequence: count,
  stream,
  number: count,
  kind,
  outcome: z.enum(["done", "failed", "refused"]),
  cause: z.enum(REFUSAL_CAUSES).nullable(),
  text: z.string().max(RESULT_TEXT_MAX),
  timeMs: z.int(),
});

const stateSchema = z.strictObject({
  version: z.literal(1),
  fleet: hex(16),
  keys: z.strictObject({ directive: hex(32), stop: hex(32).nullable() }),
  /** Highest number that was accepted; it is on the disk before anything is done. */
  highest: perStream(count),
  seen: perStream(z.array(count).max(SEEN_MAX)),
  /** True while the kill switch keeps the sensor off. */
  stopped: z.boolean(),
  /** Pack of rules in force; null = the host's own. */
  pack: hex(32).nullable(),
  policy: z.strictObject({
    open: z.enum(POLICY_OPENS).nullable(),
    wakeIntervalUs: count.nullable(),
    watch: z.array(z.string()).nullable(),
  }).nullable(),
  /**
   * Sets of antibodies that this host is to have, by their hashes: what every host has, and what
   * it has besides. A file of an earlier version has none.
   */
  antibodies: z.strictObject({
    fleet: hex(32).nullable(),
    host: hex(32).nullable(),
    /** Directive that said so last; 0 = none yet. */
    number: count,
  }).default({ fleet: null, host: null, number: 0 }),
  /** What was accepted and has no result yet: of a process that ended in between. */
  pending: z.array(z.strictObject({ stream, number: count, kind })).max(RESULTS_MAX),
  results: z.array(resultSchema).max(RESULTS_MAX),
  /** Results that were made so far. */
  sequence: count,
  /** Results that found no room before the hive took them. */
  resultsDropped: count,
  refused: z.record(z.enum(REFUSAL_CAUSES), count),
  canary: z.strictObject({
    /** When the last fresh one was asked for, in elapsed milliseconds; null = never. */
    lastMs: z.number().nullable(),
    state: z.enum(CANARY_STATES),
    elapsed: z.strictObject({ bootId: z.string(), bootMs: z.number(), elapsedMs: z.number() })
      .nullable(),
  }),
});

/** What an agent remembers about orders. */
export type CommandState = z.infer<typeof stateSchema>;

/** Whose orders an agent takes, as it learns at its enrolment. */
export interface CommandTrust {
  /** 32 hexadecimal digits. */
  readonly fleet: string;
  /** Public half of the directive key, 64 hexadecimal digits. */
  readonly directiveKey: string;
  /** Of the stop key; null = there is none yet. */
  readonly stopKey: string | null;
}

/** The state file of an agent: read once, written as a whole at every change. */
export class CommandFile {
  readonly #path: string;
  #state: CommandState;
  #timer: Timer | undefined;

  private constructor(path: string, state: CommandState) {
    this.#path = path;
    this.#state = state;
  }

  /**
   * Reads the state of an agent, or begins one.
   *
   * @param folder The agent's folder.
   * @param trust As its enrolment says; counts where there is no state, or one of another fleet.
   * @throws {ImmuneError} `STATE_UNUSABLE` when it is damaged: beginning anew would take old orders
   * for new ones.
   */
  static open(folder: string, trust: CommandTrust): CommandFile {
    const path = commandPath(folder);
    let text: string | undefined;
    try {
      text = readIfThere(path);
      const state = text === undefined ? undefined : stateSchema.parse(JSON.parse(text));
      return new CommandFile(path, state?.fleet === trust.fleet ? state : fresh(trust));
    } catch (cause) {
      const why = text === undefined && cause instanceof Error ? cause.message : "it does not hold";
      throw new ImmuneError(
        "STATE_UNUSABLE",
        `Cannot use state of orders "${path}": ${why}; restore it, or enrol this host again`,
        { cause },
      );
    }
  }

  /** What it holds. */
  get now(): CommandState {
    return this.#state;
  }

  /**
   * Changes it; the change is on the disk when this returns.
   *
   * @param change What differs.
   * @throws {ImmuneError} `STATE_UNUSABLE` when it cannot be written; nothing is changed then.
   */
  change(change: Partial<CommandState>): void {
    const next = { ...this.#state, ...change };
    const failure = this.#kept(next);
    if (failure !== undefined) throw failure;
    this.#state = next;
  }

  /**
   * Changes it where it is so whether it can be written or not.
   *
   * @param change What differs.
   * @returns `STATE_UNUSABLE` when it is not on the disk; `now` has it, and so has the next change.
   */
  hold(change: Partial<CommandState>): ImmuneError | undefined {
    this.#state = { ...this.#state, ...change };
    return this.#kept(this.#state);
  }

  /**
   * Changes it where a crash may forget: it is on the disk a while later, or with the next change.
   *
   * @param change What differs.
   * @param options Clock, and how long it may take in milliseconds.
   */
  later(
    change: Partial<CommandState>,
    { clock, withinMs }: { readonly clock: Clock; readonly withinMs: number },
  ): void {
    this.#state = { ...this.#state, ...change };
    this.#timer ??= clock.setTimer(() => this.#writeLate(), withinMs);
  }

  #writeLate(): void {
    try {
      this.#write(this.#state);
    } catch {
      // The next change tells; what is lost here is a count.
    }
  }

  #kept(state: CommandState): ImmuneError | undefined {
    try {
      this.#write(state);
      return undefined;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      return new ImmuneError("STATE_UNUSABLE", `Cannot keep "${this.#path}": ${why}`, { cause });
    }
  }

  #write(state: CommandState): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    replaceFile(this.#path, `${JSON.stringify(state)}\n`);
  }
}

function fresh({ fleet, directiveKey, stopKey }: CommandTrust): CommandState {
  return {
    version: 1,
    fleet,
    keys: { directive: directiveKey, stop: stopKey },
    highest: { directive: 0, canary: 0, stop: 0 },
    seen: { directive: [], canary: [], stop: [] },
    stopped: false,
    pack: null,
    policy: null,
    antibodies: { fleet: null, host: null, number: 0 },
    pending: [],
    results: [],
    sequence: 0,
    resultsDropped: 0,
    refused: Object.fromEntries(REFUSAL_CAUSES.map((cause) => [cause, 0])) as Record<
      RefusalCause,
      number
    >,
    canary: { lastMs: null, state: "fresh", elapsed: null },
  };
}
