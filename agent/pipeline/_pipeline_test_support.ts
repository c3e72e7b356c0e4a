import { assertEquals } from "@std/assert";
import {
  type EcsContext,
  encodeRecord,
  type RecordView,
  SOURCES,
} from "../../common/record/mod.ts";
import { compileRules, type RuleSet } from "../../common/sigma/mod.ts";
import {
  type Alert,
  countRecords,
  type Health,
  type Loss,
  lossCause,
} from "../../common/wire/mod.ts";
import type { FoldedRow } from "../sensors/sensor.ts";
import type { RecordSink } from "./pipeline.ts";

/** Id of the rule of a test, by its number. */
export function ruleId(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
}

/** Compiles rules on exec, each from its lines below `detection`; all of them must load. */
export function execRules(...detections: readonly string[][]): RuleSet {
  const set = compileRules(detections.map((lines, i) => ({
    path: `rule_${i}.yml`,
    text: [
      `title: Rule ${i}`,
      `id: ${ruleId(i)}`,
      "logsource: { category: process_creation, product: linux }",
      "level: high",
      "detection:",
      ...lines.map((line) => `  ${line}`),
    ].join("\n"),
  })));
  const [rejection] = set.rejected;
  if (rejection !== undefined) throw new Error(`${rejection.path}: ${rejection.reason}`);
  return set;
}

/** Lines of a detection that asks for a part of the command line. */
export function commandLineHas(part: string): string[] {
  return [`s: { CommandLine|contains: ${JSON.stringify(part)} }`, "condition: s"];
}

/** Chunks as a stream gives them. */
export async function* chunksOf(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(part);
}

/** Host and clock of tests. */
export const CONTEXT: EcsContext = {
  hostId: "ab".repeat(32),
  hostName: "host",
  bootId: "cd".repeat(16),
  wallOffsetNs: 1_700_000_000_000_000_000n,
};

/** An exec of a shell with those arguments; numbers count from 1. */
export function shellExec(number: number, ...args: readonly string[]): Uint8Array {
  return encodeRecord("exec", {
    header: {
      pid: 1000 + number,
      tid: 1000 + number,
      parent_pid: 1,
      time_ns: BigInt(number) * 1_000_000n,
      start_time_ns: BigInt(number) * 1_000_000n,
      sequence: number,
      source: SOURCES.replay,
    },
    slots: { image: "/usr/bin/bash", argv: ["bash", ...args].map((arg) => `${arg}\0`).join("") },
  });
}

/** Records one after the other. */
export function joined(records: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(records.reduce((sum, record) => sum + record.length, 0));
  let at = 0;
  for (const record of records) {
    all.set(record, at);
    at += record.length;
  }
  return all;
}

/** Runs a test in a folder of its own. */
export async function inFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "immune-pipeline-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A sink that keeps what it is given, in memory of its own. */
export class KeptSink implements RecordSink {
  readonly batches: { readonly records: Uint8Array; readonly losses: readonly Loss[] }[] = [];
  readonly alerts: Alert[] = [];
  readonly folded: FoldedRow[] = [];
  readonly healths: { readonly health: Health; readonly losses: readonly Loss[] }[] = [];

  append(records: Uint8Array, about: { recordCount: number; losses: readonly Loss[] }): void {
    assertEquals(countRecords(records), about.recordCount);
    this.batches.push({ records: records.slice(), losses: about.losses });
  }

  appendAlerts(alerts: readonly Alert[], records: readonly RecordView[]): void {
    assertEquals(alerts.length, records.length);
    this.alerts.push(...alerts);
  }

  appendHealth(health: Health, losses: readonly Loss[]): void {
    this.healths.push({ health, losses });
  }

  appendFolded(rows: readonly FoldedRow[]): void {
    this.folded.push(...rows);
  }

  /** All losses so far, as cause and count. */
  get losses(): [string | undefined, number][] {
    return this.batches.flatMap(({ losses }) =>
      losses.map(({ cause, count }): [string | undefined, number] => [lossCause(cause), count])
    );
  }
}
