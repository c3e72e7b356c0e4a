import { HEADER_OFFSETS } from "../../common/record/mod.ts";

interface Source {
  /** Highest sequence seen. */
  highest: number;
  /** Records seen. */
  received: number;
}

/**
 * Finds what is missing from the sequences of the records themselves: within a source they count
 * up by one, in nearly their order. What is missing is `highest - received`, so a record
 * that comes late fills its own gap.
 */
export class SequenceGaps {
  // A source is a u16: there are no more than 65,536.
  readonly #sources = new Map<number, Source>();

  /**
   * Takes note of all records of a buffer.
   *
   * @param records Whole, checked records.
   * @returns How many there are.
   */
  observe(records: Uint8Array): number {
    const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
    let count = 0;
    for (let offset = 0; offset < records.length; count++) {
      const low = view.getUint32(offset + HEADER_OFFSETS.sequence, true);
      const high = view.getUint32(offset + HEADER_OFFSETS.sequence + 4, true);
      this.#note(view.getUint16(offset + HEADER_OFFSETS.source, true), high * 2 ** 32 + low);
      offset += view.getUint32(offset + HEADER_OFFSETS.length, true);
    }
    return count;
  }

  /**
   * Records of a source that are missing so far.
   *
   * @param source Source number.
   * @param last Last sequence that the source has given out, where that is known: records after
   * the last one received are missing too.
   */
  missing(source: number, last = 0): number {
    const known = this.#sources.get(source);
    if (known === undefined) return last;
    return Math.max(known.highest, last) - known.received;
  }

  #note(source: number, sequence: number): void {
    const known = this.#sources.get(source);
    if (known !== undefined) {
      known.received++;
      if (sequence > known.highest) known.highest = sequence;
    } else this.#sources.set(source, { highest: sequence, received: 1 });
  }
}
