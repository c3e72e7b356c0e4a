import { SYSTEM_CLOCK } from "../../common/config/clock.ts";
import { encodeBatch, type Loss } from "../../common/wire/mod.ts";
import { encodeRecord } from "../../common/record/mod.ts";
import {
  type IntakeCounters,
  IntakeWorker,
  type ListenerLimits,
  type Refusal,
} from "../../hive/intake/mod.ts";
import { Commands } from "../../hive/command/commands.ts";
import { AntibodySetFiles } from "../../hive/command/antibody_sets.ts";
import { PackFiles } from "../../hive/command/packs.ts";
import { SignerWorker } from "../../hive/command/signer_owner.ts";
import { type RemoteStore, StoreWorker } from "../../hive/store/mod.ts";
import { makeRequest } from "../../hive/trust/_test_support.ts";
import { renewals, TrustKeeper } from "../../hive/fleet/mod.ts";
import type { Authority, ServerCertificate } from "../../hive/trust/mod.ts";
import { expired } from "./lines.ts";

/** Journal of every batch here unless told otherwise. */
export const JOURNAL = "0a".repeat(16);

/** Fleet of every hive here. */
export const FLEET = "f1".repeat(16);

/** A key and a certificate for it. */
export interface Identity {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** An agent that is enrolled. */
export interface TestAgent extends Identity {
  readonly id: string;
  readonly hostId: string;
}

/** Options of {@linkcode TestHive.start}. */
export interface TestHiveOptions {
  readonly limits?: ListenerLimits;
  /** Most bytes of the store's database. */
  readonly storeBytesMax?: number;
  /** Port for agents. Default: any free one. */
  readonly port?: number;
}

/** The hive's half of the wire as it runs: store and intake in Workers of the program's entry. */
export class TestHive implements AsyncDisposable {
  /** Lines of the log so far. */
  readonly lines: string[] = [];
  readonly folder: string;
  readonly trust: TrustKeeper;
  readonly store: RemoteStore;
  readonly storeWorker: StoreWorker;
  readonly signer: SignerWorker;
  readonly commands: Commands;
  #intake: IntakeWorker | undefined;
  #woken = Promise.withResolvers<void>();

  private constructor(
    parts: { folder: string; trust: TrustKeeper; store: StoreWorker; signer: SignerWorker },
  ) {
    this.folder = parts.folder;
    this.trust = parts.trust;
    this.storeWorker = parts.store;
    this.store = parts.store.client();
    this.signer = parts.signer;
    this.commands = new Commands({
      fleet: FLEET,
      store: this.store,
      signer: parts.signer.client,
      directiveKey: parts.signer.publicKey,
      packs: new PackFiles(parts.folder),
      sets: new AntibodySetFiles(parts.folder),
      publish: (published) => this.intake.publish(published),
      clock: SYSTEM_CLOCK,
    });
  }

  static async start(options: TestHiveOptions = {}): Promise<TestHive> {
    const folder = await Deno.makeTempDir({ prefix: "immune-hive-" });
    const { limits, storeBytesMax, port = 0 } = options;
    const hive = new TestHive({
      folder,
      trust: await TrustKeeper.open(folder),
      signer: await SignerWorker.start({ folder, fleet: FLEET }),
      store: await StoreWorker.start({
        path: `${folder}/store.db`,
        ...(storeBytesMax === undefined ? {} : { bytesMax: storeBytesMax }),
      }),
    });
    hive.#intake = await IntakeWorker.start({
      renew: renewals({ store: hive.store, authority: hive.authority, clock: SYSTEM_CLOCK }),
      settings: {
        hostname: "127.0.0.1",
        port,
        trust: hive.trust.intakeTrust(),
        ...(limits === undefined ? {} : { limits }),
      },
      store: hive.storeWorker.connect(),
      orders: { signer: hive.signer.connect(), folder },
      onLine: (line) => hive.#hear(line),
    });
    hive.trust.onChange(() => hive.intake.setTrust(hive.trust.intakeTrust()));
    return hive;
  }

  get authority(): Authority {
    return this.trust.authority;
  }

  get server(): ServerCertificate {
    return this.trust.server;
  }

  get intake(): IntakeWorker {
    if (this.#intake === undefined) throw new TypeError("The hive is not started");
    return this.#intake;
  }

  get url(): string {
    return `https://127.0.0.1:${this.intake.port}/v1/batches`;
  }

  counters(): Promise<IntakeCounters> {
    return this.intake.counters();
  }

  async refused(reason: Refusal): Promise<number> {
    return (await this.counters()).refused[reason];
  }

  /** Waits for a line of the log, from the first one on, a minute at most. */
  async line(pattern: RegExp): Promise<string> {
    const deadline = AbortSignal.timeout(60_000);
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      if (deadline.aborted) throw new Error(`No line ${pattern}, but: ${this.lines.join("\n")}`);
      await Promise.race([this.#woken.promise, expired(deadline)]);
    }
  }

  /** An agent with a certificate of the authority and a row in the store. */
  async enrol(hostId = crypto.getRandomValues(new Uint8Array(32)).toHex()): Promise<TestAgent> {
    const id = crypto.randomUUID();
    const { keyPem, request } = await makeRequest();
    const { pem, fingerprint } = await this.authority.sign(request, { agentId: id });
    await this.store.addAgent({ id, hostId, hostName: "host" }, fingerprint);
    return { id, hostId, keyPem, certificatePem: pem };
  }

  /** An HTTP client that shows a certificate, or none. */
  client(identity?: Identity): Deno.HttpClient {
    return Deno.createHttpClient({
      caCerts: [this.server.certificatePem],
      ...(identity === undefined ? {} : { cert: identity.certificatePem, key: identity.keyPem }),
    });
  }

  /** A connection behind its handshake. */
  async connect(identity: Identity): Promise<Deno.TlsConn> {
    const connection = await Deno.connectTls({
      hostname: "127.0.0.1",
      port: this.intake.port,
      caCerts: [this.server.certificatePem],
      cert: identity.certificatePem,
      key: identity.keyPem,
    });
    await connection.handshake();
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.commands[Symbol.dispose]();
    this.trust[Symbol.dispose]();
    await this.#intake?.stop();
    await this.signer.close();
    await this.storeWorker.close();
    await Deno.remove(this.folder, { recursive: true });
  }

  #hear(line: string): void {
    this.lines.push(line);
    this.#woken.resolve();
    this.#woken = Promise.withResolvers();
  }
}

/** What a batch is made of; the rest does not matter here. */
export interface BatchOptions {
  readonly hostId: string;
  /** Position of the first record. Default 1. */
  readonly first?: number;
  /** Records. Default 1. */
  readonly records?: number;
  readonly losses?: readonly Loss[];
  /** Default {@linkcode JOURNAL}. */
  readonly journalId?: string;
  /** Bytes of each record's file name, which is noise that does not compress. Default 0. */
  readonly nameBytes?: number;
}

/** A whole batch of exec records that say nothing. */
export function batchOf(options: BatchOptions): Uint8Array<ArrayBuffer> {
  const { hostId, first = 1, records = 1, losses = [], journalId = JOURNAL } = options;
  const { nameBytes = 0 } = options;
  const parts = Array.from({ length: records }, (_, number) =>
    encodeRecord("exec", {
      header: { pid: number + 1, time_ns: BigInt(first + number) },
      slots: { file_name: crypto.getRandomValues(new Uint8Array(nameBytes)) },
    }));
  return encodeBatch({
    first,
    recordCount: records,
    losses,
    journalId,
    bootId: "0b".repeat(16),
    hostId,
    epoch: 1,
    wallOffsetNs: 1_700_000_000_000_000_000n,
  }, concat(parts));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
