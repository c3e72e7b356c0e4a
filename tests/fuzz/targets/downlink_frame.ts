import { encodeFrame, FRAME_BYTES_MAX, FrameReader } from "../../../common/wire/mod.ts";
import { type FuzzTarget, plainSubject } from "../target.ts";

const FRAMES = [new Uint8Array(0), new Uint8Array(5).fill(1), new Uint8Array(300).fill(2)];

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(pieces.flatMap((piece) => [...piece]));
}

/** `FrameReader`: a stream of frames, cut in two at a place that its own bytes choose. */
export const target: FuzzTarget = {
  open: () =>
    plainSubject([joined(FRAMES.map(encodeFrame))], (input) => {
      const reader = new FrameReader();
      const cut = (input[0] ?? 0) % (input.length + 1);
      try {
        const frames = [input.subarray(0, cut), input.subarray(cut)]
          .flatMap((piece) => reader.push(piece));
        const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
        return bytes > input.length || frames.some(({ length }) => length > FRAME_BYTES_MAX)
          ? "it gives more than came"
          : undefined;
      } catch (error) {
        return error instanceof RangeError ? undefined : `it threw ${String(error)}`;
      }
    }),
};
