/** Bytes that grow: numbers little-endian, as the loader reads them. */
export class Bytes {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Appends a number of 2 bytes. */
  u16(value: number): this {
    this.#view.setUint16(this.#room(2), value, true);
    return this;
  }

  /** Appends a number of 4 bytes. */
  u32(value: number): this {
    this.#view.setUint32(this.#room(4), value, true);
    return this;
  }

  /** Appends a number of 8 bytes. */
  u64(value: bigint): this {
    this.#view.setBigUint64(this.#room(8), value, true);
    return this;
  }

  /** Appends bytes, and zeros up to `width`. */
  padded(bytes: Uint8Array, width: number): this {
    this.#bytes.set(bytes, this.#room(width));
    return this;
  }

  /** A copy of all. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #room(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
