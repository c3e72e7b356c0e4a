import { ImmuneError } from "../../common/config/errors.ts";
import type { Alert, DirectiveStream, ResultReport } from "../../common/wire/mod.ts";
import type {
  AgentOrders,
  DirectiveFilter,
  DirectiveOutcome,
  DirectiveQuery,
  DirectiveRow,
  DirectiveSummary,
} from "./directive_store.ts";
import type { HerdCall, HerdGives, HerdTakes } from "../herd/herd.ts";
import type { StoreAnswer, StoreMethod, StoreRequest } from "./messages.ts";
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
import { Window } from "./window.ts";

/** Most requests of one client that the store works on at once. */
export const REQUESTS_IN_FLIGHT_MAX = 32;
/** Most bytes of blocks among them, unless one alone is longer. */
export const BYTES_IN_FLIGHT_MAX = 32 * 1024 * 1024;
/**
 * Most requests of one client that wait for their turn: each agent may have one when all of them
 * come at once. Batches among them have a bound of their own (hive/intake/gate.ts).
 */
export const REQUESTS_WAITING_MAX = 4096;

interface Open {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: ImmuneError) => void;
}

/** A store in another thread, asked through a port. */
export class RemoteStore implements Store {
  readonly #port: MessagePort;
  readonly #window = new Window({
    requestsMax: REQUESTS_IN_FLIGHT_MAX,
    bytesMax: BYTES_IN_FLIGHT_MAX,
    waitingMax: REQUESTS_WAITING_MAX,
  });
  readonly #open = new Map<number, Open>();
  readonly #asked = new Set<Promise<unknown>>();
  #nextId = 1;
  /** Why nothing more is taken. */
  #ended: ImmuneError | undefined;
  /** Why nothing more is answered. */
  #failed: ImmuneError | undefined;

  /** @param port As `StoreWorker.connect` gives it; nobody else uses it. */
  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<StoreAnswer>) => this.#settle(data);
  }

  /** Requests that found no room even to wait. */
  get turnedAway(): number {
    return this.#window.turnedAway;
  }

  addToken(token: TokenRow): Promise<void> {
    return this.#ask("addToken", [token]);
  }

  useToken(secretHash: string, use: TokenUse): Promise<TokenGrant | undefined> {
    return this.#ask("useToken", [secretHash, use]);
  }

  removeToken(secretHash: string): Promise<boolean> {
    return this.#ask("removeToken", [secretHash]);
  }

  addAgent(agent: NewAgent, fingerprint: string): Promise<void> {
    return this.#ask("addAgent", [agent, fingerprint]);
  }

  certificate(fingerprint: string): Promise<CertificateRow | undefined> {
    return this.#ask("certificate", [fingerprint]);
  }

  renewCertificate(renewed: RenewedCertificate): Promise<void> {
    return this.#ask("renewCertificate", [renewed]);
  }

  confirmCertificate(fingerprint: string): Promise<void> {
    return this.#ask("confirmCertificate", [fingerprint]);
  }

  revokeAgents(agentIds: readonly string[]): Promise<readonly string[]> {
    return this.#ask("revokeAgents", [agentIds]);
  }

  revokeAgent(agentId: string): Promise<boolean> {
    return this.#ask("revokeAgent", [agentId]);
  }

  agents(): Promise<readonly AgentRow[]> {
    return this.#ask("agents", []);
  }

  append({ agentId, bytes }: Block): Promise<Stored> {
    const whole = bytes.length === bytes.buffer.byteLength;
    const given: Block = { agentId, bytes: whole ? bytes : bytes.slice() };
    return this.#ask("append", [given], given.bytes.buffer);
  }

  alerts(query: AlertQuery): Promise<AlertPage> {
    return this.#ask("alerts", [query]);
  }

  alert(id: string): Promise<Alert | undefined> {
    return this.#ask("alert", [id]);
  }

  alertFeed(query: FeedQuery): Promise<readonly FedAlert[]> {
    return this.#ask("alertFeed", [query]);
  }

  detectionState(): Promise<DetectionState | undefined> {
    return this.#ask("detectionState", []);
  }

  detected(found: Detected): Promise<number> {
    return this.#ask("detected", [found]);
  }

  blocks(query: BlockQuery): Promise<readonly StoredBlock[]> {
    return this.#ask("blocks", [query]);
  }

  ledgers(): Promise<readonly AgentLedger[]> {
    return this.#ask("ledgers", []);
  }

  document(kind: string, id: string): Promise<DocumentRow | undefined> {
    return this.#ask("document", [kind, id]);
  }

  findDocument(kind: string, key: string): Promise<DocumentRow | undefined> {
    return this.#ask("findDocument", [kind, key]);
  }

  documents(query: DocumentQuery): Promise<DocumentPage> {
    return this.#ask("documents", [query]);
  }

  putDocument(document: DocumentRow): Promise<boolean> {
    return this.#ask("putDocument", [document]);
  }

  removeDocument(kind: string, id: string): Promise<boolean> {
    return this.#ask("removeDocument", [kind, id]);
  }

  stats(): Promise<StoreStats> {
    return this.#ask("stats", []);
  }

  nextDirectiveNumber(stream: DirectiveStream): Promise<number> {
    return this.#ask("nextDirectiveNumber", [stream]);
  }

  addDirective(directive: DirectiveRow): Promise<void> {
    return this.#ask("addDirective", [directive]);
  }

  directivesFor(query: DirectiveQuery): Promise<readonly DirectiveRow[]> {
    return this.#ask("directivesFor", [query]);
  }

  antibodyDirectives(): Promise<readonly DirectiveRow[]> {
    return this.#ask("antibodyDirectives", []);
  }

  directives(limit: number, of?: DirectiveFilter): Promise<readonly DirectiveSummary[]> {
    return this.#ask("directives", [limit, of]);
  }

  directiveOutcomes(stream: DirectiveStream, number: number): Promise<readonly DirectiveOutcome[]> {
    return this.#ask("directiveOutcomes", [stream, number]);
  }

  addReport(agentId: string, report: ResultReport): Promise<void> {
    return this.#ask("addReport", [agentId, report]);
  }

  agentOrders(): Promise<readonly AgentOrders[]> {
    return this.#ask("agentOrders", []);
  }

  refusedCertificates(fingerprints: readonly string[]): Promise<readonly string[]> {
    return this.#ask("refusedCertificates", [fingerprints]);
  }

  herd<C extends HerdCall>(call: C, given: HerdTakes<C>): Promise<HerdGives<C>> {
    return this.#ask("herd", [call, given]);
  }

  /** Ends this client; the store itself and its other clients go on. */
  async close(): Promise<void> {
    this.#ended ??= new ImmuneError("STORE_FAILED", "Cannot ask the store: it is closed");
    await Promise.allSettled(this.#asked);
    this.#port.close();
  }

  /**
   * Ends this client because the store ended: what was asked fails now.
   *
   * @param error Why.
   */
  fail(error: ImmuneError): void {
    this.#ended ??= error;
    this.#failed ??= error;
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
    this.#port.close();
  }

  #ask<T>(method: StoreMethod, args: readonly unknown[], given?: ArrayBuffer): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const answer = this.#exchange(method, args, given) as Promise<T>;
    this.#asked.add(answer);
    const forget = (): void => void this.#asked.delete(answer);
    answer.then(forget, forget);
    return answer;
  }

  async #exchange(
    method: StoreMethod,
    args: readonly unknown[],
    given?: ArrayBuffer,
  ): Promise<unknown> {
    const bytes = given?.byteLength ?? 0;
    await this.#window.enter(bytes);
    try {
      return await this.#send(method, args, given === undefined ? [] : [given]);
    } finally {
      this.#window.leave(bytes);
    }
  }

  #send(method: StoreMethod, args: readonly unknown[], given: Transferable[]): Promise<unknown> {
    // It may have waited for its turn meanwhile.
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    const request: StoreRequest = { id: this.#nextId++, method, args };
    return new Promise((resolve, reject) => {
      this.#open.set(request.id, { resolve, reject });
      this.#port.postMessage(request, given);
    });
  }

  #settle(answer: StoreAnswer): void {
    const open = this.#open.get(answer.id);
    this.#open.delete(answer.id);
    if ("value" in answer) open?.resolve(answer.value);
    else open?.reject(new ImmuneError(answer.error.code, answer.error.message));
  }
}
