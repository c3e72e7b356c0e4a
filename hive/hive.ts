import { isIP } from "node:net";
import { AuditLog } from "../common/audit/mod.ts";
import { type Clock, SYSTEM_CLOCK, type TwoPersonAct } from "../common/config/mod.ts";
import { NO_OWN_THINGS, type OwnThings } from "../common/herd/mod.ts";
import { addressText, parseAddress } from "./address.ts";
import {
  checkOperatorsAddress,
  createApi,
  LOGIN_PATH,
  type OperatorsListener,
  type OperatorsListenerOptions,
  serveOperators,
  type TokenRequest,
} from "./api/mod.ts";
import { Commands } from "./command/commands.ts";
import { AntibodySetFiles } from "./command/antibody_sets.ts";
import { PackFiles } from "./command/packs.ts";
import { SignerWorker } from "./command/signer_owner.ts";
import { DetectWorker, type RulesPlace } from "./detect/mod.ts";
import {
  createEnrolment,
  type EnrolmentApp,
  type MadeToken,
  makeToken,
  PendingEnrolments,
  renewals,
  serveEnrolment,
  TrustKeeper,
} from "./fleet/mod.ts";
import { HerdKeeper, HerdPublisher, WordTrail } from "./herd/mod.ts";
import { lookApart } from "./herd/ordinary_apart.ts";
import { AUDIT_FOLDER, openHiveFolder, STORE_FILE } from "./folder.ts";
import type { IntakeCounters } from "./intake/listener.ts";
import { IntakeWorker } from "./intake/owner.ts";
import { type OidcProvider, Operators, operatorTokenHash } from "./operators/mod.ts";
import { type RemoteStore, StoreWorker } from "./store/mod.ts";

/** What a hive is made of. */
export interface HiveOptions {
  /** The state folder; the hive's own is `hive` in it. */
  readonly state: string;
  /** HOST:PORT where agents deliver (mutual TLS); port 0 = any free one. */
  readonly agents: string;
  /** HOST:PORT of enrolment (TLS). */
  readonly enroll: string;
  /** HOST:PORT of API and console; plain HTTP, so loopback only, unless there is `consoleTls`. */
  readonly console: string;
  /** Certificate and key (PEM) of API and console. Default: plain HTTP. */
  readonly consoleTls?: { readonly certificatePem: string; readonly keyPem: string };
  /**
   * SHA-256 of the API token, for a hive that may not read `operator.token`. Default: that file's,
   * which is made where there is none.
   */
  readonly tokenHash?: string;
  /** Acts that take two people, such as `user.role`. Default: none. */
  readonly twoPerson?: readonly TwoPersonAct[];
  /** OpenID provider that people sign in with. Default: none; they sign in here. */
  readonly oidc?: OidcProvider;
  /** How often a canary is pushed to agents, in milliseconds. Default 24 hours. */
  readonly canaryMs?: number;
  /** Most bytes of the store's file that agents' batches may fill. Default: what the disk has. */
  readonly storeBytesMax?: number;
  /** Host names and addresses under which agents reach this hive, besides loopback. */
  readonly names?: readonly string[];
  /** Where the rules are, for correlations over all hosts. Default: there are none. */
  readonly rules?: RulesPlace;
  /** Version of the program. */
  readonly version: string;
  /** Takes a line for the log. Default: none. */
  readonly log?: (line: string) => void;
  /** Default: the host's. */
  readonly clock?: Clock;
}

/** A hive that runs. */
export interface Hive {
  /** HOST:PORT of each listener, with the port that it really has. */
  readonly addresses: {
    readonly agents: string;
    readonly enroll: string;
    readonly console: string;
  };
  /** SHA-256 of the certificate that agents pin, 64 hexadecimal digits. */
  readonly fingerprint: string;
  /** Rejects when a part of it ends by itself. */
  readonly failed: Promise<never>;
  /** Makes a link that signs one person in, once, within ten minutes. */
  loginLink(): string;
  /** Makes an enrolment token; for one agent unless told otherwise. */
  enrollToken(asked?: TokenRequest): Promise<MadeToken>;
  /** Reads the rules again; settled when they are in force, or those before stay. */
  reloadRules(): Promise<void>;
  /** Ends it: listeners first, the store last; what was taken is stored. */
  stop(): Promise<void>;
}

/**
 * Starts a hive: store, agents' port, enrolment, API and console.
 *
 * @param options What it is made of.
 * @returns It, when all of it listens.
 * @throws {ImmuneError} `CONFIG_INVALID`, `LISTEN_REFUSED`, `PORT_IN_USE`, `STATE_UNUSABLE`,
 * `STATE_LOCKED`, `STORE_FAILED`; nothing of it runs then.
 */
export async function createHive(options: HiveOptions): Promise<Hive> {
  const pagesAt: OperatorsListenerOptions = {
    ...parseAddress(options.console),
    ...(options.consoleTls === undefined ? {} : { tls: options.consoleTls }),
  };
  // Before anything is made: an address that may not be is a mistake of whoever starts it.
  checkOperatorsAddress(pagesAt);
  await using parts = new AsyncDisposableStack();
  const folder = openHiveFolder(options.state);
  const tokenHash = options.tokenHash ?? operatorTokenHash(options.state);
  const audit = parts.use(
    AuditLog.open(`${folder}/${AUDIT_FOLDER}`, { clock: options.clock ?? SYSTEM_CLOCK }),
  );
  const words = new WordTrail({
    audit,
    clock: options.clock ?? SYSTEM_CLOCK,
    log: options.log ?? ((): void => {}),
  });
  const agents = await startAgentsSide(options, { folder, parts, words });
  const { store, stores, intake, signer, commands } = agents;
  const operators = new Operators({
    tokenHash,
    store,
    audit,
    clock: options.clock ?? SYSTEM_CLOCK,
    ...(options.oidc === undefined ? {} : { oidc: options.oidc }),
    ...(options.twoPerson === undefined ? {} : { twoPerson: options.twoPerson }),
  });
  const detection = await startDetection(options, { stores, parts });
  const served: { pages?: OperatorsListener } = {};
  const api = createApi({
    store,
    operators,
    audit,
    version: options.version,
    log: options.log ?? ((): void => {}),
    clock: options.clock ?? SYSTEM_CLOCK,
    enrollToken: agents.enrollToken,
    refused: async () => ({
      ...await agents.refused(),
      operators_connections: served.pages?.refused() ?? 0,
    }),
    commands,
    trust: agents.trust,
    pending: agents.pending,
    ...(detection === undefined ? {} : { detection: () => detection.counters() }),
  });
  // Behind the API: it says what can be asked for.
  await operators.approvals.resume();
  await startHerd(options, { agents, folder, parts });
  const pages = await serveOperators((request, peer) => api.fetch(request, peer), pagesAt);
  served.pages = pages;
  parts.defer(() => pages.stop());
  const failed = Promise.race([
    stores.failed,
    intake.failed,
    signer.failed,
    ...(detection === undefined ? [] : [detection.failed]),
  ]);
  // Who does not look at it is not to fall over it.
  failed.catch(() => {});
  const running = parts.move();
  const console = addressText({ ...pagesAt, port: pages.port });
  const origin = `${pagesAt.tls === undefined ? "http" : "https"}://${console}`;
  return {
    addresses: { ...agents.addresses, console },
    fingerprint: agents.trust.server.fingerprint,
    failed,
    loginLink: () => `${origin}${LOGIN_PATH}?code=${operators.addLoginCode()}`,
    enrollToken: agents.enrollToken,
    reloadRules: async () => await detection?.reload(),
    stop: () => running.disposeAsync(),
  };
}

/** Time does its work on antibodies, and hosts are told what they are to have. */
async function startHerd(
  options: HiveOptions,
  { agents, folder, parts }: {
    readonly agents: AgentsSide;
    readonly folder: string;
    readonly parts: AsyncDisposableStack;
  },
): Promise<void> {
  const { clock = SYSTEM_CLOCK, log = (): void => {} } = options;
  const { store, stores, commands, addresses } = agents;
  const own = ownThings(options, [addresses.agents, addresses.enroll]);
  parts.use(await HerdKeeper.start({ store, own, clock, log }));
  parts.use(
    await HerdPublisher.start({
      store,
      sets: new AntibodySetFiles(folder),
      send: (target, set) => commands.antibodies(set, target),
      check: async () => {
        const waiting = await store.herd("unchecked", undefined);
        if (waiting.length > 0) await lookApart(stores.connect());
      },
      clock,
      log,
    }),
  );
}

/** What no antibody may hit, or the hosts would lose their hive. */
function ownThings(
  { names = [], state }: HiveOptions,
  addresses: readonly string[],
): OwnThings {
  const places = addresses.map(parseAddress);
  const hosts = [...places.map(({ hostname }) => hostname), ...names];
  return {
    ...NO_OWN_THINGS,
    addresses: hosts.filter((host) => isIP(host) !== 0),
    domains: hosts.filter((host) => isIP(host) === 0),
    ports: places.map(({ port }) => port),
    folders: [state],
  };
}

/** Stopped before the store: its state goes down there. */
async function startDetection(
  { rules, log = (): void => {} }: HiveOptions,
  { stores, parts }: { readonly stores: StoreWorker; readonly parts: AsyncDisposableStack },
): Promise<DetectWorker | undefined> {
  if (rules === undefined) return undefined;
  const detection = await DetectWorker.start({
    rules,
    store: stores.connect(),
    onLine: log,
  });
  parts.defer(async () => void await detection.stop());
  return detection;
}

interface AgentsSide {
  readonly stores: StoreWorker;
  readonly store: RemoteStore;
  readonly intake: IntakeWorker;
  readonly signer: SignerWorker;
  readonly commands: Commands;
  readonly addresses: { readonly agents: string; readonly enroll: string };
  readonly trust: TrustKeeper;
  readonly pending: PendingEnrolments;
  readonly enrollToken: (asked?: TokenRequest) => Promise<MadeToken>;
  readonly refused: () => Promise<Readonly<Record<string, number>>>;
}

async function startAgentsSide(options: HiveOptions, { folder, parts, words }: {
  readonly folder: string;
  readonly parts: AsyncDisposableStack;
  readonly words: WordTrail;
}): Promise<AgentsSide> {
  const { clock = SYSTEM_CLOCK, log = (): void => {}, names } = options;
  const [agentsAt, enrollAt] = [parseAddress(options.agents), parseAddress(options.enroll)];
  const trust = await TrustKeeper.open(folder, {
    clock,
    ...(names === undefined ? {} : { names }),
  });
  parts.use(trust);
  const { authority } = trust;
  const { storeBytesMax } = options;
  const stores = await StoreWorker.start({
    path: `${folder}/${STORE_FILE}`,
    ...(storeBytesMax === undefined ? {} : { bytesMax: storeBytesMax }),
  });
  parts.defer(() => stores.close());
  const store = stores.client();
  // As directives name it: the same 16 bytes.
  const fleet = authority.fleetId.replaceAll("-", "");
  const signer = await SignerWorker.start({ folder, fleet });
  parts.defer(() => signer.close());
  const intake = await IntakeWorker.start({
    settings: { ...agentsAt, trust: trust.intakeTrust() },
    store: stores.connect(),
    orders: { signer: signer.connect(), folder },
    renew: renewals({ store, authority, clock }),
    onLine: log,
    onSaid: (said) => void words.record(said),
  });
  parts.defer(async () => void await intake.stop());
  const commands = parts.use(
    new Commands({
      fleet,
      store,
      signer: signer.client,
      directiveKey: signer.publicKey,
      packs: new PackFiles(folder),
      sets: new AntibodySetFiles(folder),
      publish: (published) => intake.publish(published),
      clock,
      ...(options.canaryMs === undefined ? {} : { canaryMs: options.canaryMs }),
    }),
  );
  await commands.start();
  trust.onChange(() => intake.setTrust(trust.intakeTrust()));
  const pending = new PendingEnrolments({ store, authority, clock });
  const enrolment = createEnrolment({
    store,
    authority,
    pending,
    clock,
    orders: () => commands.trust(),
    onEnrolled: ({ agentId, hostName }) => log(`Agent "${agentId}" of "${hostName}" enrolled`),
    onRefused: (_reason, line) => log(line),
  });
  const listener = serveEnrolment((request) => enrolment.app.fetch(request), {
    ...enrollAt,
    certificatePem: trust.server.certificatePem,
    keyPem: trust.server.keyPem,
  });
  trust.onChange(() => listener.show(trust.server));
  parts.defer(() => listener.stop());
  const addresses = {
    agents: addressText({ ...agentsAt, port: intake.port }),
    enroll: addressText({ ...enrollAt, port: listener.port }),
  };
  return {
    stores,
    store,
    intake,
    signer,
    commands,
    addresses,
    trust,
    pending,
    enrollToken: (asked = {}) =>
      makeToken(store, { ...addresses, ...asked, pins: trust.server.pins, clock }),
    refused: async () => refusedBy(await intake.counters(), enrolment),
  };
}

/** What both agents' listeners turned away; the reasons of enrolment start with `enroll_`. */
function refusedBy(
  intake: IntakeCounters,
  enrolment: EnrolmentApp,
): Readonly<Record<string, number>> {
  const ofEnrolment = Object.entries(enrolment.refused())
    .map(([reason, count]) => [`enroll_${reason}`, count]);
  return { ...intake.refused, ...Object.fromEntries(ofEnrolment) };
}
