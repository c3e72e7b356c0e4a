import { openInput } from "./input.ts";
import { replayRecording } from "./recording.ts";
import { replayLines, type ReplayOptions, type ReplaySummary } from "./replay_lines.ts";

/**
 * Runs a file through rules: a journal segment, or NDJSON.
 *
 * @param file Path, or `-` for standard input.
 * @param options Rules, and where matches and problems go.
 * @throws {ImmuneError} `FILE_UNREADABLE`.
 */
export async function replay(file: string, options: ReplayOptions): Promise<ReplaySummary> {
  const { isRecording, chunks } = await openInput(file);
  return await (isRecording ? replayRecording : replayLines)(chunks, options);
}
