import type { Clock } from "../../common/config/clock.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { verifySignature } from "../../common/keys/ed25519.ts";
import { stopKeySuccession } from "../../common/keys/succession.ts";
import {
  type CanaryState,
  type Directive,
  type DirectiveKind,
  type DirectiveResult,
  type DirectiveStream,
  EVERY_HOST,
  type KeysBody,
  type PolicyBody,
  readDirective,
  type RefusalCause,
  RESULT_TEXT_MAX,
  type ResultReport,
  RESULTS_MAX,
  type StopAction,
} from "../../common/wire/mod.ts";
import { CANARY_JUMP_MS, CanaryWatch } from "./canary_watch.ts";
import { checkDirective, type Checked } from "./check.ts";
import { type CommandFile, type CommandState, SEEN_MAX } from "./command_state.ts";
import { ElapsedClock } from "./elapsed.ts";

/** Elapsed time is kept this often, in milliseconds: as much may be lost when the host crashes. */
export const KEEP_INTERVAL_MS = 60_000;
/** Refusals are put on the disk at most this often, in milliseconds. */
const REFUSED_INTERVAL_MS = 1000;

/** Sets of antibodies that a host is to have, by their hashes; null = none. */
export interface WantedAntibodies {
  /** What every host of the fleet has. */
  readonly fleet: string | null;
  /** What this host has besides, as a canary host. */
  readonly host: string | null;
}

/** What a guard has done for it. Each gives what it found to be true afterwards, or throws. */
export interface GuardActs {
  /** Takes over a pack of rules, or the host's own (null): `rule set HASH active`. */
  rules(pack: string | null): Promise<string>;
  /** Takes over a policy: `policy HASH active`. */
  policy(policy: PolicyBody): Promise<string>;
  /** Takes over sets of antibodies: `antibodies active: 3 as 2 indicators and 1 rules ...`. */
  antibodies(wanted: WantedAntibodies): Promise<string>;
  /** Detaches the sensor, attaches it, or looks whether it could be detached. */
  sensor(action: StopAction): Promise<string>;
  /** Goes on blocking, or only detects. */
  blocking(wanted: boolean): void;
  /** Asks the hive for a canary that carries this. */
  askCanary(nonce: string): void;
  /** Hands a report to the hive; it comes again until `reported`. */
  report(report: ResultReport): void;
  /** Told where the next frames are to go on. */
  cursor(highest: CommandState["highest"]): void;
  warn(message: string): void;
}

/** What a guard is made of. */
export interface GuardOptions {
  readonly file: CommandFile;
  readonly hostId: string;
  readonly acts: GuardActs;
  /** Kinds that this host refuses. */
  readonly refuse: readonly DirectiveKind[];
  /** What happens when no canary comes any more. */
  readonly onCanaryLoss: "keep" | "observe";
  readonly clock: Clock;
  /** This boot, and milliseconds since then. */
  readonly boot: { readonly id: string; readonly nowMs: () => number };
  readonly canary?: { readonly checkMs?: number; readonly lossMs?: number };
}

/**
 * Takes orders, one after the other, and stops ahead of the others: checks each, remembers its number
 * on the disk, and only then has it carried out; keeps what came of it until the hive has heard.
 */
export class Guard implements Disposable {
  readonly #options: GuardOptions;
  readonly #file: CommandFile;
  readonly #elapsed: ElapsedClock;
  readonly #watch: CanaryWatch;
  #timer: { cancel(): void } | undefined;
  #keptAtMs: number;
  /** When it looked last, in elapsed milliseconds; before its first look no time can jump. */
  #lookedMs = Infinity;
  /** What waits its turn; stops count for themselves, and wait for no other order. */
  readonly #queues = { stop: Promise.resolve(), other: Promise.resolve() };
  /** By their bytes, what was taken and is not over: a line that begins anew gives it again. */
  readonly #taking = new Map<string, Promise<void>>();
  #ended = false;
  /** Whether it has had blocking paused. */
  #paused = false;
  /** Why the state is not on the disk, as it was told. */
  #unkept = "";

  /** @param options State, acts and clocks. */
  constructor(options: GuardOptions) {
    this.#options = options;
    this.#file = options.file;
    const { canary } = this.#file.now;
    this.#elapsed = new ElapsedClock({
      bootId: options.boot.id,
      bootMs: options.boot.nowMs,
      ...(canary.elapsed === null ? {} : { kept: canary.elapsed }),
    });
    this.#watch = new CanaryWatch(this.#elapsed, {
      ...options.canary,
      ...(canary.lastMs === null ? {} : { lastMs: canary.lastMs }),
    });
    // From its first start on it counts, however short each run is.
    this.#keptAtMs = canary.lastMs === null ? -Infinity : this.#elapsed.nowMs();
  }

  /** What is in force. */
  get state(): CommandState {
    return this.#file.now;
  }

  /** How the dead man's switch stands. */
  get canary(): CanaryState {
    return this.#watch.state;
  }

  /** Whether a canary was asked for and has not come. */
  get canaryAsked(): boolean {
    return this.#watch.nonce !== undefined;
  }

  /** Whether the dead man's switch lets this host block now. */
  get blocks(): boolean {
    return !this.#isObserving(this.#watch.state);
  }

  /**
   * Begins: says what an earlier run left open, asks for a canary, and looks at the dead man's
   * switch from now on.
   */
  start(): void {
    const { acts } = this.#options;
    for (const { stream, number, kind } of this.state.pending) {
      const text = "the agent ended before it was carried out";
      this.#add({ stream, number, kind, outcome: "failed", cause: null, text });
    }
    acts.cursor(this.state.highest);
    this.#pause(!this.blocks);
    acts.askCanary(this.#watch.ask());
    this.#look();
    this.#report();
  }

  /**
   * Takes a frame of the downlink, or a canary that was asked for.
   *
   * @param bytes As they came.
   * @returns Settled when it was carried out or refused.
   */
  take(bytes: Uint8Array): Promise<void> {
    const key = bytes.toHex();
    const before = this.#taking.get(key);
    if (before !== undefined) return before;
    const read = readDirective(bytes);
    const queue = "stream" in read && read.stream === "stop" ? "stop" : "other";
    // Not held against the clock when its turn comes: what goes before may take minutes.
    const nowMs = this.#options.clock.nowMs();
    const taken = this.#queues[queue]
      .then(() => this.#ended ? undefined : this.#take(bytes, nowMs))
      .catch((error: Error) => this.#options.acts.warn(error.message))
      .finally(() => this.#taking.delete(key));
    this.#taking.set(key, taken);
    this.#queues[queue] = taken;
    return taken;
  }

  /**
   * Lets go of results that the hive has.
   *
   * @param sequence Everything up to it is there.
   */
  reported(sequence: number): void {
    const results = this.state.results.filter((result) => result.sequence > sequence);
    if (results.length < this.state.results.length) this.#hold({ results });
  }

  /**
   * Says that the antibodies that were ordered last are in force, after all.
   *
   * @param text What was found to be true.
   */
  antibodiesInForce(text: string): void {
    const { number } = this.state.antibodies;
    if (number === 0) return;
    const kind = "antibodies";
    this.#add({ stream: "directive", number, kind, outcome: "done", cause: null, text });
    this.#report();
  }

  /** Says again what the hive has not heard. */
  report(): void {
    // A host that was suspended may be connected before the timer's turn comes.
    this.#look();
    this.#report();
  }

  /** Ends it and keeps how much time has passed. */
  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    this.#keep(this.#watch.state);
  }

  async #take(bytes: Uint8Array, nowMs: number): Promise<void> {
    const { hostId, refuse } = this.#options;
    const { fleet, keys, highest, seen } = this.state;
    const checked = await checkDirective(bytes, {
      fleet,
      hostId,
      keys,
      highest,
      refuse: new Set(refuse),
      seen: (stream, number) => seen[stream].includes(number),
      nonce: this.#watch.nonce,
      nowMs,
    });
    if (!checked.ok) return this.#refuse(checked);
    const { directive, stream } = checked;
    if (directive.kind === "canary") return this.#hear(directive);
    const { number, kind } = directive;
    const pending = [...this.state.pending, { stream, number, kind }].slice(-RESULTS_MAX);
    this.#file.change({ ...this.#accepted(stream, number), pending });
    this.#options.acts.cursor(this.state.highest);
    const { outcome, text } = await this.#carryOut(directive);
    this.#add({ stream, number, kind, outcome, cause: null, text });
    this.#report();
  }

  #refuse(checked: Extract<Checked, { ok: false }>): void {
    const { cause, why, directive } = checked;
    const refused = { ...this.state.refused, [cause]: this.state.refused[cause] + 1 };
    this.#options.acts.warn(`Refused an order: ${cause} (${why})`);
    if (directive === undefined || directive.kind === "canary") {
      // Anybody on the way can send such bytes: they are counted, not written one by one.
      this.#file.later({ refused }, { clock: this.#options.clock, withinMs: REFUSED_INTERVAL_MS });
    } else {
      const { kind, number } = directive;
      const stream: DirectiveStream = kind === "stop" ? "stop" : "directive";
      // What this host refuses by itself is over: it does not come again.
      const consumed = cause === "local_policy" ? this.#accepted(stream, number) : {};
      this.#file.change({ refused, ...consumed });
      this.#add({ stream, number, kind, outcome: "refused", cause, text: why });
      if (cause === "local_policy") this.#options.acts.cursor(this.state.highest);
    }
    this.#report();
  }

  async #carryOut(
    directive: Exclude<Directive, { kind: "canary" }>,
  ): Promise<{ readonly outcome: "done" | "failed"; readonly text: string }> {
    try {
      return { outcome: "done", text: await this.#act(directive) };
    } catch (error) {
      return { outcome: "failed", text: error instanceof Error ? error.message : String(error) };
    }
  }

  async #act(directive: Exclude<Directive, { kind: "canary" }>): Promise<string> {
    const { acts } = this.#options;
    switch (directive.kind) {
      case "rules": {
        const text = await acts.rules(directive.body.pack);
        this.#file.change({ pack: directive.body.pack });
        return text;
      }
      case "policy": {
        const text = await acts.policy(directive.body);
        this.#file.change({ policy: structuredClone(directive.body) as CommandState["policy"] });
        return text;
      }
      case "antibodies": {
        const { fleet, host } = this.state.antibodies;
        const { number, target, body: { set } } = directive;
        const wanted = target === EVERY_HOST ? { fleet: set, host } : { fleet, host: set };
        // Kept first: what cannot be taken over now is later.
        this.#file.change({ antibodies: { ...wanted, number } });
        return await acts.antibodies(wanted);
      }
      case "keys":
        return await this.#trust(directive.body);
      case "stop": {
        const { action } = directive.body;
        // Kept first: a stop holds though the agent be killed in the middle of it.
        if (action !== "drill") this.#file.change({ stopped: action === "stop" });
        return await acts.sensor(action);
      }
    }
  }

  /** Keys count from here on; the stop key is its own old key's to replace. */
  async #trust({ directive, stop }: KeysBody): Promise<string> {
    const { keys, fleet } = this.state;
    if (stop !== null && stop.key !== keys.stop && keys.stop !== null) {
      const holds = stop.signature !== null && await verifySignature(
        Uint8Array.fromHex(keys.stop),
        {
          purpose: "stop key successor",
          bytes: stopKeySuccession(fleet, stop.key),
          signature: Uint8Array.fromHex(stop.signature),
        },
      );
      if (!holds) {
        throw new ImmuneError(
          "DIRECTIVE_INVALID",
          "Cannot take another stop key: the old one did not sign it",
        );
      }
    }
    const next = { directive: directive ?? keys.directive, stop: stop?.key ?? keys.stop };
    this.#file.change({ keys: next });
    const stopText = next.stop === null ? "none" : next.stop.slice(0, 16);
    return `directive key ${next.directive.slice(0, 16)}, stop key ${stopText} trusted`;
  }

  /** One that answers resets the switch; one that was pushed says that it is worth asking. */
  #hear({ number, body }: Extract<Directive, { kind: "canary" }>): void {
    if (body.nonce === null) {
      // Need not be on the disk first: to be asked again repeats nothing.
      this.#hold(this.#accepted("canary", number));
      this.#options.acts.cursor(this.state.highest);
      this.#options.acts.askCanary(this.#watch.askAgain());
    } else {
      this.#watch.answered();
      this.#keptAtMs = -Infinity;
    }
    this.#look();
  }

  #accepted(stream: DirectiveStream, number: number): Pick<CommandState, "highest" | "seen"> {
    const { highest, seen } = this.state;
    return {
      highest: { ...highest, [stream]: Math.max(number, highest[stream]) },
      seen: { ...seen, [stream]: [...seen[stream], number].slice(-SEEN_MAX) },
    };
  }

  #add(result: Omit<DirectiveResult, "sequence" | "timeMs">): void {
    const { results, sequence, pending, resultsDropped } = this.state;
    const added = {
      ...result,
      text: result.text.slice(0, RESULT_TEXT_MAX),
      sequence: sequence + 1,
      timeMs: this.#options.clock.nowMs(),
    };
    const isOther = (open: { readonly stream: string; readonly number: number }): boolean =>
      open.stream !== result.stream || open.number !== result.number;
    this.#hold({
      results: [...results, added].slice(-RESULTS_MAX),
      resultsDropped: resultsDropped + (results.length < RESULTS_MAX ? 0 : 1),
      sequence: sequence + 1,
      pending: pending.filter(isOther),
    });
  }

  #report(): void {
    const { results, refused, stopped } = this.state;
    this.#options.acts.report({
      results,
      refused: refused as Record<RefusalCause, number>,
      stopped,
      canary: this.#watch.state,
    });
  }

  /** Looks at the dead man's switch, and again when there may be something else to see. */
  #look(): void {
    if (this.#ended) return;
    const { acts, clock, onCanaryLoss } = this.#options;
    const before = this.state.canary.state;
    const elapsedMs = this.#elapsed.nowMs();
    if (before !== "lost" && elapsedMs - this.#lookedMs >= CANARY_JUMP_MS) this.#watch.jumped();
    this.#lookedMs = elapsedMs;
    const now = this.#watch.state;
    // First of all: it does not hang on a disk that may be full.
    this.#pause(this.#isObserving(now));
    if (this.#watch.isDue) acts.askCanary(this.#watch.ask());
    if (now !== before || elapsedMs - this.#keptAtMs >= KEEP_INTERVAL_MS) {
      this.#keep(now);
    }
    if (now !== before) {
      acts.warn(canaryLine(now, { ageMs: this.#watch.ageMs, onCanaryLoss }));
      this.#report();
    }
    this.#timer?.cancel();
    const waitMs = Math.max(1, Math.min(this.#watch.nextMs, KEEP_INTERVAL_MS));
    this.#timer = clock.setTimer(() => this.#look(), waitMs);
  }

  #isObserving(state: CanaryState): boolean {
    return state === "lost" && this.#options.onCanaryLoss === "observe";
  }

  #pause(wanted: boolean): void {
    if (wanted === this.#paused) return;
    this.#paused = wanted;
    this.#options.acts.blocking(!wanted);
  }

  #keep(state: CanaryState): void {
    this.#keptAtMs = this.#elapsed.nowMs();
    const lastMs = this.#watch.lastMs;
    this.#hold({ canary: { lastMs, state, elapsed: this.#elapsed.keep() } });
  }

  /** Changes what is so in any case; that it is not on the disk is told when it changes. */
  #hold(change: Partial<CommandState>): void {
    const why = this.#file.hold(change)?.message ?? "";
    if (why !== "" && why !== this.#unkept) {
      this.#options.acts.warn(`${why}; what it would hold counts until this agent ends`);
    }
    this.#unkept = why;
  }
}

const HOUR_MS = 3_600_000;

function canaryLine(
  state: CanaryState,
  { ageMs, onCanaryLoss }: { readonly ageMs: number; readonly onCanaryLoss: "keep" | "observe" },
): string {
  const since = `No canary of the hive for ${Math.round(ageMs / HOUR_MS)} h`;
  if (state === "fresh") return "The hive's canary is fresh again";
  if (state === "warned") {
    return onCanaryLoss === "keep"
      ? `${since}: is the hive there?`
      : `${since}: this host will stop blocking and only detect; is the hive there?`;
  }
  return onCanaryLoss === "keep"
    ? `${since}: it counts as lost; nothing changes here (on_canary_loss = "keep")`
    : `${since}: it counts as lost; this host detects and does not block until the next one`;
}
