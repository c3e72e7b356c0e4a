import { claims, LOSSES_PENDING_MAX, positionLoss, uncovered } from "../journal/ledger.ts";
import type { JournalReader, StoredBatch } from "../journal/mod.ts";
import type { Span } from "../journal/segment.ts";
import { encodeBatch, type Loss, LOSSES_PER_BATCH_MAX } from "../wire/mod.ts";

/** Batches of the journal are joined up to this many records in one message. */
export const JOINED_RECORDS_MAX = 3000;
/** Batches of the journal are joined up to this many bytes in one message. */
export const JOINED_BYTES_MAX = 512 * 1024;

/** What goes over the wire as one batch. */
export interface Message {
  /** The batch, in memory that is not shared. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Position of its first record. */
  readonly first: number;
  /** Position of its last record. */
  readonly last: number;
  /** Batches of the journal in it. */
  readonly joined: number;
  /** All losses that are due with it. */
  readonly losses: readonly Loss[];
  /** How many of them it carries; the others travel with the next message. */
  readonly carried: number;
}

/**
 * Makes messages of what a journal holds: in order, small batches joined, and every position that
 * is missing named in the ledger of the message behind it, because a hive takes no other.
 */
export class Outbox {
  readonly #reader: JournalReader;
  /** Losses that found no room yet, or whose message was skipped. */
  #waiting: readonly Loss[] = [];
  #turnedAway = 0;
  #ahead: StoredBatch | undefined;
  /** First position that the hive does not have; unknown until it says so. */
  #expected: number | undefined;
  /** Batches up to this position go alone. */
  #aloneUpTo = 0;

  /** @param reader The journal; the outbox alone reads from it. */
  constructor(reader: JournalReader) {
    this.#reader = reader;
  }

  /** First position that the hive does not have, as far as it has said. */
  get expected(): number | undefined {
    return this.#expected;
  }

  /** Losses that found no room to wait for a message. */
  get lossesTurnedAway(): number {
    return this.#turnedAway;
  }

  /**
   * The next message. It stays due until `settle`, `skip` or `seek`.
   *
   * @returns The message, or `undefined` when nothing more is on the disk.
   */
  next(): Message | undefined {
    const parts = this.#parts();
    const [head] = parts;
    const end = parts.at(-1);
    if (head === undefined || end === undefined) return undefined;
    const own = parts.flatMap(({ info }) => info.losses);
    // The journal leaves room for as many losses beside the records of each batch.
    const losses = this.#due(head.info.first, own);
    const carried = Math.min(losses.length, LOSSES_PER_BATCH_MAX);
    const asItIs = parts.length === 1 && losses.length === own.length && carried === own.length;
    const bytes = asItIs ? head.bytes : joinedBytes(parts, losses.slice(0, carried));
    return {
      bytes,
      first: head.info.first,
      last: lastOf(end),
      joined: parts.length,
      losses,
      carried,
    };
  }

  /**
   * The hive has a message.
   *
   * @param message Which one.
   * @param position Everything up to it is durable there, at least the message's last position.
   */
  settle(message: Message, position: number): void {
    this.#wait(message.losses.slice(message.carried));
    this.#expected = position + 1;
    if (position > message.last) this.#move(position + 1);
  }

  /**
   * The hive will never take a message: what it carried besides records goes on with the next one,
   * and so does the loss of its records.
   *
   * @param message A message of one batch.
   */
  skip(message: Message): void {
    this.#wait([positionLoss("journal_corrupt", message), ...message.losses]);
  }

  /**
   * Sends the batches of a message again, each alone.
   *
   * @param message A message of several batches.
   */
  separate(message: Message): void {
    this.#aloneUpTo = message.last;
    this.#move(message.first);
  }

  /**
   * Goes to the position that the hive asks for.
   *
   * @param expected First position that it does not have.
   */
  seek(expected: number): void {
    this.#expected = expected;
    // What is read again tells its losses again.
    this.#waiting = this.#waiting.filter((loss) =>
      claims([loss]).every((span) => span.last < expected)
    );
    this.#move(expected);
  }

  #wait(losses: readonly Loss[]): void {
    this.#waiting = losses.slice(0, LOSSES_PENDING_MAX);
    this.#turnedAway += losses.length - this.#waiting.length;
  }

  #move(position: number): void {
    this.#ahead = undefined;
    this.#reader.seek(position);
  }

  #take(): StoredBatch | undefined {
    const part = this.#ahead ?? this.#reader.next();
    this.#ahead = undefined;
    return part;
  }

  /** The next batch and those behind it that can be joined to it. */
  #parts(): StoredBatch[] {
    const head = this.#take();
    if (head === undefined) return [];
    const parts: StoredBatch[] = [head];
    let records = head.info.recordCount;
    let bytes = head.bytes.length;
    let end = head;
    while (records < JOINED_RECORDS_MAX && bytes < JOINED_BYTES_MAX) {
      const part = this.#take();
      if (part === undefined) break;
      records += part.info.recordCount;
      bytes += part.bytes.length;
      const fits = records <= JOINED_RECORDS_MAX && bytes <= JOINED_BYTES_MAX &&
        part.info.first > this.#aloneUpTo && follows(end, part);
      if (!fits) {
        this.#ahead = part;
        break;
      }
      parts.push(part);
      end = part;
    }
    return parts;
  }

  /**
   * The losses that are due with a message. Those that name positions between what the hive has and
   * the message come first: without them it would refuse the message.
   */
  #due(first: number, own: readonly Loss[]): readonly Loss[] {
    const known = [...this.#waiting, ...own];
    const from = this.#expected ?? first;
    const bridges = (loss: Loss): boolean =>
      claims([loss]).some((span) => span.first < first && span.last >= from);
    const bridging = known.filter(bridges);
    const gap = from < first ? this.#unnamed({ first: from, last: first - 1 }, bridging) : [];
    return [...gap, ...bridging, ...known.filter((loss) => !bridges(loss))];
  }

  /** Positions that are not in the journal and that no ledger names. */
  #unnamed(gap: Span, known: readonly Loss[]): Loss[] {
    const { oldest } = this.#reader;
    return uncovered(gap, claims(known)).flatMap((span) => [
      ...(span.first < oldest
        ? [positionLoss("journal_evicted", { ...span, last: Math.min(span.last, oldest - 1) })]
        : []),
      ...(span.last >= oldest
        ? [positionLoss("journal_corrupt", { ...span, first: Math.max(span.first, oldest) })]
        : []),
    ]);
  }
}

function lastOf({ info }: Pick<StoredBatch, "info">): number {
  return info.first + info.recordCount - 1;
}

/** True when two batches come from the same run and clock, one right behind the other. */
function follows(a: StoredBatch, b: StoredBatch): boolean {
  return lastOf(a) + 1 === b.info.first && a.info.bootId === b.info.bootId &&
    a.info.hostId === b.info.hostId && a.info.epoch === b.info.epoch &&
    a.info.wallOffsetNs === b.info.wallOffsetNs;
}

function joinedBytes(
  parts: readonly StoredBatch[],
  losses: readonly Loss[],
): Uint8Array<ArrayBuffer> {
  const [head] = parts;
  if (head === undefined) throw new TypeError("A message has at least one batch");
  const recordCount = parts.reduce((sum, { info }) => sum + info.recordCount, 0);
  const records = new Uint8Array(parts.reduce((sum, part) => sum + part.records.length, 0));
  let offset = 0;
  for (const part of parts) {
    records.set(part.records, offset);
    offset += part.records.length;
  }
  return encodeBatch({ ...head.info, recordCount, losses }, records);
}
