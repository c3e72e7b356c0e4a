import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import { type Clock, SYSTEM_CLOCK } from "../../common/config/clock.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { FileLock } from "../../common/config/lock.ts";
import type { Alert, DirectiveStream, ResultReport } from "../../common/wire/mod.ts";
import { Herd, type HerdCall, type HerdGives, type HerdTakes } from "../herd/herd.ts";
import { AlertRows } from "./alerts.ts";
import { Appender } from "./append.ts";
import { readBlocks } from "./blocks.ts";
import { type AgentReport, DirectiveRows } from "./directives.ts";
import type {
  AgentOrders,
  DirectiveFilter,
  DirectiveOutcome,
  DirectiveQuery,
  DirectiveRow,
  DirectiveSummary,
} from "./directive_store.ts";
import { DocumentRows } from "./documents.ts";
import { CertificateRows } from "./certificates.ts";
import { DetectionRows } from "./detection.ts";
import { storeError } from "./failure.ts";
import { FleetRows } from "./fleet.ts";
import { HealthRows } from "./health.ts";
import { HerdRows } from "./herd.ts";
import { boundDatabase, type DatabaseOptions, openDatabase, RESERVE_BYTES } from "./open.ts";
import type {
  AgentLedger,
  AgentRow,
  AlertPage,
  AlertQuery,
  Block,
  BlockQuery,
  CertificateRow,
  Detected,
  DetectionState,
  DocumentPage,
  DocumentQuery,
  DocumentRow,
  FedAlert,
  FeedQuery,
  NewAgent,
  RenewedCertificate,
  Store,
  Stored,
  StoredBlock,
  StoreStats,
  TokenGrant,
  TokenRow,
  TokenUse,
} from "./store.ts";
import { TokenRows } from "./tokens.ts";
import { readLedgers, readTotals } from "./totals.ts";
import { transaction } from "./transaction.ts";

/** Most appends that wait for one commit; more are turned away. */
export const APPENDS_WAITING_MAX = 256;
/** Most reports about orders that wait for one commit; more are turned away. */
export const REPORTS_WAITING_MAX = 4096;

/** Options of {@linkcode SqliteStore}. */
export interface SqliteOptions extends DatabaseOptions {
  /** Default: the host's clock. */
  readonly clock?: Clock;
}

interface WaitingReport extends AgentReport {
  readonly resolve: () => void;
  readonly reject: (error: ImmuneError) => void;
}

interface Waiting {
  readonly block: Block;
  readonly resolve: (stored: Stored) => void;
  readonly reject: (error: ImmuneError) => void;
}

/**
 * A store in one SQLite file. Every call does its work at once, on this thread; only appends wait
 * for the end of the turn, so that those which came together share one commit and one sync.
 */
export class SqliteStore implements Store {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #lock: FileLock;
  readonly #database: DatabaseSync;
  readonly #tokens: TokenRows;
  readonly #certificates: CertificateRows;
  readonly #fleet: FleetRows;
  readonly #alerts: AlertRows;
  readonly #documents: DocumentRows;
  readonly #directives: DirectiveRows;
  readonly #healths: HealthRows;
  readonly #herd: Herd;
  readonly #detection: DetectionRows;
  readonly #appender: Appender;
  readonly #bytesMax: number | undefined;
  #waiting: Waiting[] = [];
  #reports: WaitingReport[] = [];
  #appendsTurnedAway = 0;
  #open = true;

  /**
   * Opens a store, or makes it.
   *
   * @param path Path of the database file; its folder is there. `path + ".lock"` is its lock.
   * @param options Clock and bound.
   * @throws {ImmuneError} `STATE_LOCKED` when another process has it open, `STORE_FAILED` when the
   * file cannot be used.
   */
  constructor(path: string, options: SqliteOptions = {}) {
    this.#path = path;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#bytesMax = options.bytesMax;
    this.#lock = FileLock.acquire(`${path}.lock`);
    try {
      this.#database = openDatabase(path, options);
    } catch (error) {
      this.#lock[Symbol.dispose]();
      throw error;
    }
    this.#tokens = new TokenRows(this.#database);
    this.#certificates = new CertificateRows(this.#database);
    this.#fleet = new FleetRows(this.#database);
    this.#alerts = new AlertRows(this.#database);
    this.#documents = new DocumentRows(this.#database);
    this.#directives = new DirectiveRows(this.#database);
    this.#healths = new HealthRows(this.#database);
    this.#herd = new Herd({ ledger: new HerdRows(this.#database) });
    this.#detection = new DetectionRows(this.#database);
    this.#appender = new Appender(this.#database, { clock: this.#clock });
  }

  addToken(token: TokenRow): Promise<void> {
    return this.#answer("add token", () => this.#tokens.add(token, this.#clock.nowMs()));
  }

  useToken(secretHash: string, use: TokenUse): Promise<TokenGrant | undefined> {
    return this.#answer("use token", () => this.#tokens.use(secretHash, use));
  }

  removeToken(secretHash: string): Promise<boolean> {
    return this.#answer("remove token", () => this.#tokens.remove(secretHash));
  }

  addAgent(agent: NewAgent, fingerprint: string): Promise<void> {
    return this.#answer(
      `add agent "${agent.id}"`,
      () => this.#fleet.addAgent(agent, { fingerprint, nowMs: this.#clock.nowMs() }),
    );
  }

  certificate(fingerprint: string): Promise<CertificateRow | undefined> {
    return this.#answer(
      "look up certificate",
      () => this.#certificates.get(fingerprint, this.#clock.nowMs()),
    );
  }

  renewCertificate(renewed: RenewedCertificate): Promise<void> {
    return this.#answer(
      "renew certificate",
      () => this.#certificates.renew(renewed, this.#clock.nowMs()),
    );
  }

  confirmCertificate(fingerprint: string): Promise<void> {
    return this.#answer("confirm certificate", () => this.#certificates.confirm(fingerprint));
  }

  revokeAgents(agentIds: readonly string[]): Promise<readonly string[]> {
    return this.#answer("revoke agents", () => this.#fleet.revokeAll(agentIds));
  }

  revokeAgent(agentId: string): Promise<boolean> {
    return this.#answer(`revoke agent "${agentId}"`, () => this.#fleet.revoke(agentId));
  }

  agents(): Promise<readonly AgentRow[]> {
    return this.#answer("list agents", () => this.#fleet.agents());
  }

  append(block: Block): Promise<Stored> {
    const { promise, resolve, reject } = Promise.withResolvers<Stored>();
    if (!this.#open) reject(this.#closed("append"));
    else if (this.#waiting.length >= APPENDS_WAITING_MAX) {
      this.#appendsTurnedAway++;
      const message = `Cannot append: ${APPENDS_WAITING_MAX} batches wait already; try again`;
      reject(new ImmuneError("RATE_LIMITED", message));
    } else {
      if (this.#waiting.length === 0) setImmediate(() => this.#commit());
      this.#waiting.push({ block, resolve, reject });
    }
    return promise;
  }

  alerts(query: AlertQuery): Promise<AlertPage> {
    return this.#answer("list alerts", () => this.#alerts.page(query));
  }

  alert(id: string): Promise<Alert | undefined> {
    return this.#answer("read alert", () => this.#alerts.get(id));
  }

  alertFeed(query: FeedQuery): Promise<readonly FedAlert[]> {
    return this.#answer("list alerts", () => this.#alerts.feed(query));
  }

  detectionState(): Promise<DetectionState | undefined> {
    return this.#answer("read the state of detection", () => this.#detection.state());
  }

  detected(found: Detected): Promise<number> {
    return this.#answer(
      "store alerts",
      () => transaction(this.#database, () => this.#detection.add(found)),
    );
  }

  blocks(query: BlockQuery): Promise<readonly StoredBlock[]> {
    return this.#answer("list blocks", () => readBlocks(this.#database, query));
  }

  ledgers(): Promise<readonly AgentLedger[]> {
    return this.#answer("read ledgers", () => readLedgers(this.#database));
  }

  document(kind: string, id: string): Promise<DocumentRow | undefined> {
    return this.#answer(`read ${kind}`, () => this.#documents.get(kind, id));
  }

  findDocument(kind: string, key: string): Promise<DocumentRow | undefined> {
    return this.#answer(`find ${kind}`, () => this.#documents.find(kind, key));
  }

  documents(query: DocumentQuery): Promise<DocumentPage> {
    return this.#answer(`list ${query.kind}`, () => this.#documents.page(query));
  }

  putDocument(document: DocumentRow): Promise<boolean> {
    return this.#answer(`keep ${document.kind}`, () => this.#documents.put(document));
  }

  removeDocument(kind: string, id: string): Promise<boolean> {
    return this.#answer(`remove ${kind}`, () => this.#documents.remove(kind, id));
  }

  stats(): Promise<StoreStats> {
    return this.#answer("read figures", () => {
      const nowMs = this.#clock.nowMs();
      const { bySeverity, today } = this.#alerts.counts(nowMs);
      return {
        ...readTotals(this.#database, nowMs),
        scans: this.#healths.totals(),
        alertsBySeverity: bySeverity,
        alertsToday: today,
        turnedAway: { ...this.#appender.counters, appends: this.#appendsTurnedAway },
      };
    });
  }

  nextDirectiveNumber(stream: DirectiveStream): Promise<number> {
    return this.#answer("count directives", () => this.#directives.nextNumber(stream));
  }

  addDirective(directive: DirectiveRow): Promise<void> {
    return this.#answer("keep directive", () => this.#directives.add(directive));
  }

  directivesFor(query: DirectiveQuery): Promise<readonly DirectiveRow[]> {
    return this.#answer("read directives", () => this.#directives.unseen(query));
  }

  antibodyDirectives(): Promise<readonly DirectiveRow[]> {
    return this.#answer("read directives", () => this.#directives.antibodies());
  }

  directives(limit: number, of?: DirectiveFilter): Promise<readonly DirectiveSummary[]> {
    return this.#answer("list directives", () => this.#directives.list(limit, of));
  }

  directiveOutcomes(stream: DirectiveStream, number: number): Promise<readonly DirectiveOutcome[]> {
    return this.#answer("list outcomes", () => this.#directives.outcomes(stream, number));
  }

  addReport(agentId: string, report: ResultReport): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (!this.#open) reject(this.#closed("take report"));
    else if (this.#reports.length >= REPORTS_WAITING_MAX) {
      const message = `Cannot take report: ${REPORTS_WAITING_MAX} wait already; try again`;
      reject(new ImmuneError("RATE_LIMITED", message));
    } else {
      if (this.#reports.length === 0) setImmediate(() => this.#commitReports());
      this.#reports.push({ agentId, report, resolve, reject });
    }
    return promise;
  }

  /** Those that came together share one commit: every host of a fleet answers a stop at once. */
  #commitReports(): void {
    const reports = this.#reports;
    this.#reports = [];
    if (reports.length === 0) return;
    try {
      this.#directives.report(reports, this.#clock.nowMs());
      for (const { resolve } of reports) resolve();
    } catch (cause) {
      for (const { reject } of reports) reject(this.#failure(cause, "take report"));
    }
  }

  agentOrders(): Promise<readonly AgentOrders[]> {
    return this.#answer("list agents' orders", () => this.#directives.agents());
  }

  refusedCertificates(fingerprints: readonly string[]): Promise<readonly string[]> {
    return this.#answer(
      "look up certificates",
      () => this.#certificates.refused(fingerprints, this.#clock.nowMs()),
    );
  }

  herd<C extends HerdCall>(call: C, given: HerdTakes<C>): Promise<HerdGives<C>> {
    return this.#answer(`ask the herd to ${call}`, () => {
      const nowMs = this.#clock.nowMs();
      return transaction(this.#database, () => this.#herd.run(call, given, { nowMs }));
    });
  }

  close(): Promise<void> {
    if (!this.#open) return Promise.resolve();
    this.#commit();
    this.#commitReports();
    return this.#answer("close", () => {
      this.#open = false;
      this.#database.close();
      this.#lock[Symbol.dispose]();
    });
  }

  /** Stores what waits in one transaction; should the database refuse it, each in its own. */
  #commit(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length === 0) return;
    try {
      this.#commitTogether(waiting);
    } catch (cause) {
      if (waiting.length === 1) waiting[0]?.reject(this.#failure(cause, "append"));
      else waiting.forEach((each) => this.#commitAlone(each));
    }
  }

  #commitAlone(waiting: Waiting): void {
    try {
      this.#commitTogether([waiting]);
    } catch (cause) {
      waiting.reject(this.#failure(cause, "append"));
    }
  }

  #commitTogether(waiting: readonly Waiting[]): void {
    const { counters } = this.#appender;
    const before = { ...counters };
    try {
      const outcomes = this.#withoutReserve(() =>
        transaction(this.#database, () => waiting.map((each) => this.#try(each)))
      );
      outcomes.forEach((settle) => settle());
    } catch (cause) {
      Object.assign(counters, before);
      throw cause;
    }
  }

  /** Work that gets nothing of the reserve. */
  #withoutReserve<T>(work: () => T): T {
    const bytesMax = this.#bytesMax;
    if (bytesMax === undefined) return work();
    boundDatabase(this.#database, bytesMax);
    try {
      return work();
    } finally {
      boundDatabase(this.#database, bytesMax + RESERVE_BYTES);
    }
  }

  /** Appends within the transaction. What is wrong with the batch itself has written nothing. */
  #try({ block, resolve, reject }: Waiting): () => void {
    try {
      const stored = this.#appender.append(block);
      return () => resolve(stored);
    } catch (error) {
      if (error instanceof ImmuneError) return () => reject(error);
      throw error;
    }
  }

  #answer<T>(action: string, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#open) return reject(this.#closed(action));
      try {
        resolve(work());
      } catch (cause) {
        reject(this.#failure(cause, action));
      }
    });
  }

  #failure(cause: unknown, action: string): ImmuneError {
    return storeError(cause, `${action} in store "${this.#path}"`);
  }

  #closed(action: string): ImmuneError {
    const message = `Cannot ${action} in store "${this.#path}": it is closed`;
    return new ImmuneError("STORE_FAILED", message);
  }
}
