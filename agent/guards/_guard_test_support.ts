import { FakeClock } from "../../common/config/mod.ts";
import { newSeed, type SigningKey, signingKey } from "../../common/keys/mod.ts";
import {
  directiveBytes,
  type DirectiveContent,
  type DirectiveHead,
  EVERY_HOST,
  type ResultReport,
  sealDirective,
} from "../../common/wire/mod.ts";
import { CommandFile, type CommandTrust } from "./command_state.ts";
import { Guard, type GuardActs, type GuardOptions } from "./guard.ts";

/** Where the clock of a test starts: 2026-11-22 12:00 UTC. */
export const NOW_MS = Date.UTC(2026, 10, 22, 12);
export const FLEET = "f1".repeat(16);
export const HOST = "a5".repeat(32);
export const HOUR_MS = 3_600_000;
const BOOT = "b0".repeat(16);

/** Keys of one fleet. */
export const directiveKey: SigningKey = await signingKey(newSeed());
export const stopKey: SigningKey = await signingKey(newSeed());

export const TRUST: CommandTrust = {
  fleet: FLEET,
  directiveKey: directiveKey.publicKey.toHex(),
  stopKey: stopKey.publicKey.toHex(),
};

/** How a frame differs from one that is in order. */
export interface FrameOptions extends Partial<DirectiveHead> {
  /** Default: the key that the kind asks for. */
  readonly key?: SigningKey;
  /** Signed for another purpose than its kind's. */
  readonly purpose?: "directive" | "canary" | "stop";
}

/** A signed directive. */
export async function frame(
  content: DirectiveContent,
  { key, purpose, ...head }: FrameOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { kind } = content;
  const stream = kind === "stop" || kind === "canary" ? kind : "directive";
  const signed = directiveBytes({
    fleet: FLEET,
    target: EVERY_HOST,
    number: 1,
    issuedMs: NOW_MS,
    expiresMs: NOW_MS + 60_000,
    ...head,
    ...content,
  });
  const signer = key ?? (stream === "stop" ? stopKey : directiveKey);
  return sealDirective(signed, await signer.sign(purpose ?? stream, signed));
}

/** How the next guard starts. */
export interface RestartOptions extends Partial<GuardOptions> {
  /** Only its process ended. */
  readonly killed?: boolean;
}

/** An agent's guard whose acts only say that they were done, on a clock in the test's hand. */
export class GuardScene implements AsyncDisposable {
  readonly clock = new FakeClock(NOW_MS);
  readonly folder: string;
  /** What was done, in order. */
  readonly acts: string[] = [];
  readonly warnings: string[] = [];
  readonly nonces: string[] = [];
  reports: ResultReport[] = [];
  /** Makes the next act fail. */
  failing: Error | undefined;
  guard: Guard;
  bootId = BOOT;
  bootMs = 1_000_000;
  #options: Partial<GuardOptions>;
  readonly #trust: CommandTrust;

  private constructor(folder: string, options: Partial<GuardOptions & { trust: CommandTrust }>) {
    this.folder = folder;
    const { trust = TRUST, ...rest } = options;
    this.#trust = trust;
    this.#options = rest;
    this.guard = this.#open();
  }

  static async open(
    options: Partial<GuardOptions & { trust: CommandTrust }> = {},
  ): Promise<GuardScene> {
    return new GuardScene(await Deno.makeTempDir(), options);
  }

  get last(): ResultReport {
    const last = this.reports.at(-1);
    if (last === undefined) throw new TypeError("Nothing was reported");
    return last;
  }

  get nonce(): string {
    return this.nonces.at(-1) ?? "";
  }

  /** Time that passes on every clock. */
  async pass(milliseconds: number, stepMs = HOUR_MS / 4): Promise<void> {
    for (let left = milliseconds; left > 0; left -= stepMs) {
      const step = Math.min(left, stepMs);
      this.bootMs += step;
      this.clock.advance(step);
      await Promise.resolve();
    }
  }

  /** Ends the guard, or only its process, and starts the next one, with other options if given. */
  restart({ killed = false, ...options }: RestartOptions = {}): void {
    this.#options = { ...this.#options, ...options };
    if (!killed) this.guard[Symbol.dispose]();
    this.guard = this.#open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.guard[Symbol.dispose]();
    await Deno.remove(this.folder, { recursive: true });
  }

  #open(): Guard {
    const act = (name: string): Promise<string> => {
      const error = this.failing;
      if (error !== undefined) return Promise.reject(error);
      this.acts.push(name);
      return Promise.resolve(`${name} found so`);
    };
    const acts: GuardActs = {
      rules: (pack) => act(`rules ${pack?.slice(0, 4) ?? "own"}`),
      policy: ({ open }) => act(`policy ${open}`),
      antibodies: ({ fleet, host }) =>
        act(`antibodies ${fleet?.slice(0, 4) ?? "none"} ${host?.slice(0, 4) ?? "none"}`),
      sensor: (action) => act(action),
      blocking: (wanted) => void this.acts.push(`blocking ${wanted}`),
      askCanary: (nonce) => void this.nonces.push(nonce),
      report: (report) => void this.reports.push(report),
      cursor: () => {},
      warn: (message) => void this.warnings.push(message),
    };
    return new Guard({
      file: CommandFile.open(this.folder, this.#trust),
      hostId: HOST,
      acts,
      refuse: [],
      onCanaryLoss: "keep",
      clock: this.clock,
      boot: { id: this.bootId, nowMs: () => this.bootMs },
      ...this.#options,
    });
  }
}
