import { type Clock, ImmuneError, SYSTEM_CLOCK, type Timer } from "../../common/config/mod.ts";
import type { IntakeTrust } from "../intake/trust.ts";
import type { Store } from "../store/store.ts";
import {
  type AcceptedAuthority,
  Authority,
  type ClientCertificate,
  openServerCertificate,
  type PinnedCertificate,
  rotateServerCertificate,
  type ServerCertificate,
} from "../trust/mod.ts";

/** How often it is looked whether an overlap of authorities has ended, in milliseconds. */
export const OVERLAP_CHECK_MS = 60_000;

/** Options of {@linkcode TrustKeeper.open}. */
export interface KeeperOptions {
  /** Host names and addresses for server certificates that are made. */
  readonly names?: readonly string[];
  /** Default: the host's. */
  readonly clock?: Clock;
}

/** What counts now. */
export interface TrustView {
  readonly fleetId: string;
  readonly authorities: readonly AcceptedAuthority[];
  /** The certificate that agents see, and the one that they will. */
  readonly server: PinnedCertificate;
  readonly successor: PinnedCertificate;
}

/** An agent that is given a certificate by hand. */
export interface IssueRequest {
  /** PKCS #10 (PEM). */
  readonly request: string;
  readonly hostId: string;
  readonly hostName: string;
  readonly tags?: readonly string[];
  /** Days that it holds. Default 90. */
  readonly days?: number;
}

/** Holds the hive's certificates, and tells those who use them when they change. */
export class TrustKeeper implements Disposable {
  readonly #folder: string;
  readonly #options: KeeperOptions;
  readonly #clock: Clock;
  readonly #listeners: ((keeper: TrustKeeper) => void | Promise<void>)[] = [];
  /** It signs, and is the same object for ever; `rotateAuthority` changes what it signs with. */
  readonly authority: Authority;
  #server: ServerCertificate;
  #accepted: number;
  #timer: Timer | undefined;
  /** One change at a time. */
  #change: Promise<unknown> = Promise.resolve();

  private constructor(
    folder: string,
    parts: {
      readonly authority: Authority;
      readonly server: ServerCertificate;
      readonly options: KeeperOptions;
    },
  ) {
    this.#folder = folder;
    this.authority = parts.authority;
    this.#server = parts.server;
    this.#options = parts.options;
    this.#clock = parts.options.clock ?? SYSTEM_CLOCK;
    this.#accepted = parts.authority.accepted().length;
    this.#watch();
  }

  /**
   * Reads the certificates of a hive's folder, or makes them at first start.
   *
   * @param folder The hive's folder.
   * @param options Names and clock.
   * @throws {ImmuneError} `STATE_UNUSABLE`.
   */
  static async open(folder: string, options: KeeperOptions = {}): Promise<TrustKeeper> {
    const { clock = SYSTEM_CLOCK } = options;
    const authority = await Authority.open(folder, { clock });
    const server = await openServerCertificate(folder, options);
    return new TrustKeeper(folder, { authority, server, options });
  }

  /** The certificate that agents see. */
  get server(): ServerCertificate {
    return this.#server;
  }

  /** What counts now. */
  view(): TrustView {
    return {
      fleetId: this.authority.fleetId,
      authorities: this.authority.accepted(),
      server: this.#server,
      successor: this.#server.successor,
    };
  }

  /** The same for the agents' port. */
  intakeTrust(): IntakeTrust {
    const { certificatePem, keyPem, pins, pinSet } = this.#server;
    return {
      certificatePem,
      keyPem,
      clients: {
        authoritiesPem: this.authority.accepted().map((each) => each.certificatePem),
        fleetId: this.authority.fleetId,
      },
      pins: pins.map((der) => der.toBase64()),
      pinSet,
    };
  }

  /**
   * Has somebody told of every change.
   *
   * @param listener Called behind each; the change is done when it is.
   */
  onChange(listener: (keeper: TrustKeeper) => void | Promise<void>): void {
    this.#listeners.push(listener);
  }

  /**
   * Signs with a new authority from now on; certificates of the one before are accepted for a while.
   *
   * @param overlapDays For how long; 0 after a theft. Default 90.
   * @throws {ImmuneError} `ROTATION_TOO_EARLY`, `USAGE`, `STATE_UNUSABLE`.
   */
  rotateAuthority(overlapDays?: number): Promise<void> {
    return this.#inTurn(async () => {
      await this.authority.rotate(overlapDays === undefined ? {} : { overlapDays });
      await this.#tell();
    });
  }

  /**
   * Shows agents the successor of the server's certificate from now on, and makes the next one.
   *
   * @param force Also when agents cannot know the successor yet. Default false.
   * @throws {ImmuneError} `ROTATION_TOO_EARLY`, `STATE_UNUSABLE`.
   */
  rotateServer(force = false): Promise<void> {
    return this.#inTurn(async () => {
      this.#server = await rotateServerCertificate(this.#folder, { ...this.#options, force });
      await this.#tell();
    });
  }

  /**
   * Gives a new agent its certificate by hand, without token and enrolment.
   *
   * @param asked Its request and host.
   * @param store Where it is entered before it is given.
   * @returns The agent's id and its certificate.
   * @throws {ImmuneError} `ENROLL_REFUSED` when the request does not hold; of the store.
   */
  async issue(
    asked: IssueRequest,
    store: Pick<Store, "addAgent">,
  ): Promise<ClientCertificate & { readonly agentId: string }> {
    const { request, hostId, hostName, tags = [], days } = asked;
    const agentId = crypto.randomUUID();
    const signed = await this.authority.sign(request, {
      agentId,
      ...(days === undefined ? {} : { days }),
    });
    await store.addAgent({ id: agentId, hostId, hostName, tags }, signed.fingerprint);
    return { ...signed, agentId };
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#change.then(work);
    this.#change = done.catch(() => {});
    return done;
  }

  async #tell(): Promise<void> {
    this.#accepted = this.authority.accepted().length;
    for (const listener of this.#listeners) {
      try {
        await listener(this);
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new ImmuneError(
          "INTERNAL",
          `The change is made and a listener did not take it, start the hive again: ${why}`,
          { cause },
        );
      }
    }
  }

  /** An overlap ends by itself. */
  #watch(): void {
    this.#timer = this.#clock.setTimer(() => {
      if (this.authority.accepted().length !== this.#accepted) {
        void this.#inTurn(() => this.#tell()).catch(() => {});
      }
      this.#watch();
    }, OVERLAP_CHECK_MS);
  }
}
