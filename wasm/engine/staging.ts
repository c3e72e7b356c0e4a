import { createHash } from "node:crypto";
import { ImmuneError } from "../../common/config/errors.ts";
import { IMAGE_BYTES_MAX, IMAGE_HEADER } from "../../common/sigma/image_layout.ts";
import type { Core } from "./core.ts";
import { imageError } from "./image_error.ts";

/** Bytes that one step copies and hashes. */
const STEP_BYTES = 128 * 1024;
/** Rows that one step checks. */
const STEP_ROWS = 4_096;
const HASH_BYTES = 32;
/** What `stage_some` answers while rows are left. */
const GOES_ON = 1;

/** Which of the two regions an image goes to. */
export type ImageRegion = 0 | 1;

/**
 * A rule image on its way into the engine: copied, hashed and checked in steps of about a
 * millisecond, which may lie between scans under the image that is active.
 */
export class Staging {
  /** The region that it is in. */
  readonly region: ImageRegion;
  readonly #core: Core;
  readonly #image: Uint8Array;
  readonly #hash = createHash("sha256");
  #copied = 0;
  #isBegun = false;
  #isReady = false;

  /**
   * @param core The module.
   * @param image Bytes of the image; they may not change until it is ready.
   * @param region The region that is not active.
   * @throws {ImmuneError} `IMAGE_INVALID` when it is too long.
   */
  constructor(core: Core, image: Uint8Array, region: ImageRegion) {
    if (image.length > IMAGE_BYTES_MAX) throw imageError(-1, 0);
    this.#core = core;
    this.#image = image;
    this.region = region;
  }

  /**
   * Does one step.
   *
   * @returns True when the image is ready to be published.
   * @throws {ImmuneError} `IMAGE_INVALID` with the check that failed.
   */
  step(): boolean {
    if (this.#copied < this.#image.length) this.#copy();
    else if (!this.#isBegun) this.#begin();
    else if (!this.#isReady) this.#isReady = this.#judge(this.#core.exports.stage_some(STEP_ROWS));
    return this.#isReady;
  }

  #copy(): void {
    const start = this.#copied;
    const slice = this.#image.subarray(start, start + STEP_BYTES);
    this.#core.images[this.region].set(slice, start);
    this.#copied += slice.length;
    // The hash's own bytes count as zero; the first slice has all of them.
    if (start > 0) this.#hash.update(slice);
    else {
      const { hash } = IMAGE_HEADER;
      this.#hash.update(slice.subarray(0, hash));
      this.#hash.update(new Uint8Array(Math.min(HASH_BYTES, Math.max(0, slice.length - hash))));
      this.#hash.update(slice.subarray(hash + HASH_BYTES));
    }
  }

  #begin(): void {
    this.#isBegun = true;
    // The hash finds a torn image; the module's own check finds one that was written wrong.
    const { hash } = IMAGE_HEADER;
    if (!this.#hash.digest().equals(this.#image.subarray(hash, hash + HASH_BYTES))) {
      throw new ImmuneError(
        "IMAGE_INVALID",
        "Cannot publish the rule image: its hash is not that of its bytes, compile the rules again",
      );
    }
    this.#judge(this.#core.exports.stage(this.region, this.#image.length));
  }

  #judge(answer: number): boolean {
    if (answer < 0) throw imageError(answer, this.#core.exports.publish_row());
    return answer !== GOES_ON;
  }
}
