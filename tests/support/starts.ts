import type { RecordView } from "../../common/record/decode.ts";
import { VERDICT_OUTCOMES } from "../../common/record/values.ts";
import { compile, compileSpeaker, type Refusals } from "./enforcement.ts";
import { within } from "./eventually.ts";
import { inFolder, run } from "./probe.ts";

/** What one start of the speaker says when nothing refuses it. */
export const RAN = "refused 0 killed 0 ran 1 bytes 6";

/** Starts a program so many times; how that ended. */
export async function starts(
  runs: string,
  { times = 1, how = "execve", program }: {
    readonly times?: number;
    readonly how?: string;
    readonly program: string;
  },
): Promise<string> {
  return (await run(runs, [String(times), how, program])).lines.join("\n");
}

/**
 * Starts a program until it is refused. Where a policy asks for hashes the programs of the whole host
 * wait for theirs at first, and what takes too long is let go.
 *
 * @param start Starts it once; how that ended.
 */
export async function untilRefused(start: () => Promise<string>): Promise<void> {
  await within(30_000)("it is refused", async () => await start() === RAN ? undefined : true);
}

/** Reads until so many starts were refused; their verdicts, without those of what was let go. */
export function refusedUntil(refusals: Refusals, count: number): readonly RecordView[] {
  const refused = (): readonly RecordView[] =>
    refusals.verdicts().filter((verdict) =>
      verdict.number("verdict", "outcome") === VERDICT_OUTCOMES.refused
    );
  refusals.probe.until(() => refused().length >= count);
  return refused();
}

/** What a test of refused programs works with. */
export interface Tools {
  readonly folder: string;
  readonly runs: string;
  readonly speaker: string;
}

/** Gives a test a folder, the program that starts others, and one that speaks. */
export function withTools(test: (tools: Tools) => Promise<void> | void): () => Promise<void> {
  return () =>
    inFolder(async (folder) => {
      const [runs, speaker] = [await compile("runs", folder), await compileSpeaker(folder)];
      // It does speak: the same start without a policy. What the test before held goes a bit after
      // it, and may mean this file, which has a number that was free again.
      await within(30_000)("it speaks", async () => {
        return await starts(runs, { program: speaker }) === RAN || undefined;
      });
      await test({ folder, runs, speaker });
    });
}

/** How so many starts end that a tier refuses. */
export const REFUSED: Readonly<Record<string, (times: number) => string>> = {
  lsm: (times) => `refused ${times} killed 0 ran 0 bytes 0`,
  fanotify: (times) => `refused ${times} killed 0 ran 0 bytes 0`,
  signal: (times) => `refused 0 killed ${times} ran 0 bytes 0`,
};
