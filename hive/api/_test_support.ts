import { AuditLog } from "../../common/audit/mod.ts";
import { FakeClock } from "../../common/config/mod.ts";
import { alertId, encodeRecord, processEntityId, SOURCES } from "../../common/record/mod.ts";
import {
  type Alert,
  encodeBatch,
  encodeHealth,
  type Health,
  type Loss,
} from "../../common/wire/mod.ts";
import { hashSecret, newSecret, Operators, type OperatorsOptions } from "../operators/mod.ts";
import { SqliteStore } from "../store/mod.ts";
import { type Api, createApi } from "./app.ts";
import type { ApiOptions } from "./context.ts";

/** Where the clock of a test starts: 2026-11-22 12:00:30 UTC. */
export const NOON_MS = Date.UTC(2026, 10, 22, 12, 0, 30);
/** Host of the one agent. */
export const HOST_ID = "ab".repeat(32);
/** Id of the one agent. */
export const AGENT_ID = "11111111-2222-4333-8444-555555555555";
const BOOT_ID = "cd".repeat(16);
const JOURNAL_ID = "ef".repeat(16);
/** Boot was an hour before noon. */
const WALL_OFFSET_NS = BigInt(NOON_MS - 3_600_000) * 1_000_000n;

/** A hive's operators' side on a real store, with one enrolled agent. */
export interface TestHive extends AsyncDisposable {
  readonly api: Api;
  readonly clock: FakeClock;
  readonly store: SqliteStore;
  readonly operators: Operators;
  readonly audit: AuditLog;
  /** The API token. */
  readonly token: string;
  /** Lines of the log. */
  readonly lines: string[];
  /** Asks with the API token. */
  get(path: string): Promise<Response>;
  /** Stores records as the agent's next batch. */
  deliver(records: readonly Uint8Array[], losses?: readonly Loss[]): Promise<void>;
}

/** What a hive of a test is made of, for what is made from it. */
export interface TestHiveParts extends Pick<TestHive, "clock" | "store"> {
  /** Goes with the hive. */
  readonly folder: string;
}

/**
 * Makes it.
 *
 * @param options What differs from the default, or makes that.
 * @param operatorsOptions The same for the operators.
 */
export async function openTestHive(
  options: Partial<ApiOptions> | ((parts: TestHiveParts) => Promise<Partial<ApiOptions>>) = {},
  operatorsOptions: Partial<OperatorsOptions> = {},
): Promise<TestHive> {
  const folder = await Deno.makeTempDir();
  const clock = new FakeClock(NOON_MS);
  const store = new SqliteStore(`${folder}/store.db`, { clock });
  await store.addAgent({ id: AGENT_ID, hostId: HOST_ID, hostName: "gpu-01" }, "99".repeat(32));
  const token = newSecret();
  const audit = AuditLog.open(`${folder}/audit`, { clock });
  const operators = new Operators({
    tokenHash: hashSecret(token),
    store,
    audit,
    clock,
    ...operatorsOptions,
  });
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const more = typeof options === "function" ? await options({ clock, store, folder }) : options;
  const api = createApi({ store, operators, audit, version: "9.9.9", clock, log, ...more });
  let first = 1;
  return {
    api,
    clock,
    store,
    operators,
    audit,
    token,
    lines,
    get: (path) =>
      Promise.resolve(api.request(path, { headers: { authorization: `Bearer ${token}` } })),
    async deliver(records, losses = []): Promise<void> {
      const bytes = encodeBatch({
        first,
        recordCount: records.length,
        losses,
        journalId: JOURNAL_ID,
        bootId: BOOT_ID,
        hostId: HOST_ID,
        epoch: 1,
        wallOffsetNs: WALL_OFFSET_NS,
      }, concat(records));
      first += records.length;
      const { outcome } = await store.append({ agentId: AGENT_ID, bytes });
      if (outcome !== "stored") throw new Error("the batch was not stored");
    },
    async [Symbol.asyncDispose](): Promise<void> {
      audit[Symbol.dispose]();
      await store.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** A process of a test: started `bootS` seconds after boot. */
export interface TestProcess {
  readonly pid: number;
  readonly bootS: number;
  readonly parent?: TestProcess;
  readonly image: string;
  readonly argv: readonly string[];
}

/**
 * The record of a process that runs a program, or of one that already ran.
 *
 * @param kind Which record.
 * @param process Which process.
 */
export function processRecord(kind: "exec" | "process", process: TestProcess): Uint8Array {
  return encodeRecord(kind, {
    header: { ...headerOf(process), source: 0, sequence: process.pid },
    slots: { image: process.image, argv: process.argv.map((arg) => `${arg}\0`).join("") },
  });
}

/**
 * The record in which an agent tells how it does.
 *
 * @param health What differs from an agent with 42 rules that has done nothing.
 */
export function healthRecord(health: Partial<Health> = {}): Uint8Array {
  const counted = { tallies: [], missed: [], tiers: [], places: [], detached: [] };
  const nothing = { records: 0, alerts: 0, masked: 0, scanTimeNs: 0, scans: [], ...counted };
  return encodeHealth({ rules: 42, ruleSet: "0f".repeat(32), ...nothing, ...health }, {
    source: SOURCES.agent,
    time_ns: 3_500_000_000_000n,
  });
}

/**
 * The record of a fork.
 *
 * @param process The child.
 */
export function forkRecord(process: TestProcess): Uint8Array {
  return encodeRecord("fork", { header: { ...headerOf(process), sequence: process.pid } });
}

/**
 * The alert of a process, and its record.
 *
 * @param process Which process raises it.
 * @param options What differs: `title`, `severity`, `sequence`, `id` of the rule.
 */
export function alertOf(process: TestProcess, options: {
  readonly title?: string;
  readonly severity?: Alert["severity"];
  readonly sequence?: number;
} = {}): { alert: Alert; record: Uint8Array } {
  const { title = "Reverse shell by bash", severity = "high", sequence = process.pid } = options;
  const rule = { id: "5f1a6a5c-0c46-4b1d-8b1a-7d2f3b7d9c11", title, tags: ["attack.t1059"] };
  const boot = { hostId: HOST_ID, bootId: BOOT_ID };
  const alert: Alert = {
    id: alertId(rule.id, { ...boot, epoch: 1, source: 0, sequence }),
    time: new Date(wallMs(process)).toISOString(),
    host: { id: HOST_ID, name: "gpu-01" },
    rule,
    severity,
    event: { kind: "alert", action: "exec" },
    process: {
      ...describe(process),
      ...(process.parent === undefined ? {} : { parent: describe(process.parent) }),
    },
  };
  const record = encodeRecord("alert", {
    header: { ...headerOf(process), source: SOURCES.agent, sequence },
    body: { record_sequence: sequence, severity: 4 },
    slots: { document: JSON.stringify(alert) },
  });
  return { alert, record };

  function describe(of: TestProcess): NonNullable<Alert["process"]> {
    return {
      pid: of.pid,
      entity_id: processEntityId(boot, { pid: of.pid, startTimeNs: startNs(of) }),
      start: new Date(wallMs(of)).toISOString(),
      executable: of.image,
      command_line: of.argv.join(" "),
    };
  }
}

function headerOf(process: TestProcess): Record<string, number | bigint> {
  return {
    pid: process.pid,
    tid: process.pid,
    time_ns: startNs(process) + 1_000_000n,
    start_time_ns: startNs(process),
    parent_pid: process.parent?.pid ?? 0,
    parent_start_time_ns: process.parent === undefined ? 0n : startNs(process.parent),
    uid: 1000,
    gid: 1000,
  };
}

function startNs({ bootS }: TestProcess): bigint {
  return BigInt(Math.round(bootS * 1000)) * 1_000_000n;
}

function wallMs({ bootS }: TestProcess): number {
  return NOON_MS - 3_600_000 + Math.round(bootS * 1000);
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
