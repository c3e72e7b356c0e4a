import { claims, uncovered } from "../journal/ledger.ts";
import { decodeBatch, type Loss } from "../wire/mod.ts";
import type { Answer } from "./answer.ts";
import type { Transport } from "./transport.ts";

/** What a hive does with batches, in memory: the contract of positions and nothing else. */
export class ModelHive implements Transport {
  /** Records that are stored, by position. */
  readonly records = new Map<number, Uint8Array>();
  /** Positions that were passed over, with the cause that was named. */
  readonly passed = new Map<number, number>();
  /** Losses that name no position, in the order of their coming. */
  readonly losses: Loss[] = [];
  /** Messages that came, first and last position of each. */
  readonly messages: (readonly [number, number])[] = [];
  /** Answers that are given before any message is looked at. */
  readonly answers: Answer[] = [];
  /** Positions of records whose messages it will never take. */
  readonly bad = new Set<number>();
  position = 0;

  post(bytes: Uint8Array<ArrayBuffer>, _signal: AbortSignal): Promise<Answer> {
    const { info, records } = decodeBatch(bytes);
    const last = info.first + info.recordCount - 1;
    this.messages.push([info.first, last]);
    const given = this.answers.shift();
    if (given !== undefined) return Promise.resolve(given);
    for (let at = info.first; at <= last; at++) {
      if (this.bad.has(at)) return Promise.resolve({ type: "refused", reason: "BATCH_MALFORMED" });
    }
    const stored: Answer = { type: "stored", journalId: info.journalId, position: this.position };
    if (last <= this.position) return Promise.resolve(stored);
    const gap = { first: this.position + 1, last: info.first - 1 };
    if (gap.first <= gap.last && uncovered(gap, claims(info.losses)).length > 0) {
      return Promise.resolve({ type: "gap", expected: gap.first, reason: "BATCH_GAP" });
    }
    for (let at = gap.first; at <= gap.last; at++) {
      const loss = info.losses.find((each) =>
        claims([each]).some((span) => span.first <= at && span.last >= at)
      );
      this.passed.set(at, loss?.cause ?? 0);
    }
    let at = info.first;
    for (const record of split(records)) {
      if (at > this.position) this.records.set(at, record);
      at++;
    }
    if (info.first > this.position) {
      this.losses.push(...info.losses.filter((loss) => claims([loss]).length === 0));
    }
    this.position = last;
    return Promise.resolve({ ...stored, position: last });
  }

  [Symbol.dispose](): void {}
}

/** Records by their lengths alone: those of the journal's tests hold noise. */
function* split(records: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(records.buffer, records.byteOffset, records.length);
  for (let offset = 0; offset < records.length;) {
    const length = view.getUint32(offset, true);
    yield records.slice(offset, offset + length);
    offset += length;
  }
}
