import type { DatabaseSync } from "node:sqlite";
import { unpack } from "./codec.ts";
import { kindMasks } from "./kinds.ts";
import { checkLimit } from "./limit.ts";
import { blob, integer, text } from "./rows.ts";
import {
  ANSWER_BYTES_MAX,
  type BlockQuery,
  BLOCKS_PER_ANSWER_MAX,
  type StoredBlock,
} from "./store.ts";

/**
 * Stored blocks, newest first.
 *
 * @param database Open, of this version's schema.
 * @param query Which ones.
 * @returns At most `query.limit`, and no more than fit an answer, but always one if there is one.
 * @throws {ImmuneError} `INPUT_MALFORMED` for a limit that is none.
 */
export function readBlocks(database: DatabaseSync, query: BlockQuery): readonly StoredBlock[] {
  checkLimit(query.limit, { max: BLOCKS_PER_ANSWER_MAX, of: "blocks" });
  const { conditions, values } = conditionsOf(query);
  // Which blocks is answered from short rows; the long ones are read for those alone.
  const rows = database.prepare(
    `SELECT blocks.id AS id, agents.id AS agent_id, from_position, length
    FROM blocks JOIN agents ON agents.number = blocks.agent
    ${conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : ""}
    ORDER BY blocks.id DESC LIMIT ?`,
  ).all(...values, query.limit);
  const bytesOf = database.prepare("SELECT codec, bytes FROM block_bytes WHERE block = ?");
  const found: StoredBlock[] = [];
  let answerBytes = 0;
  for (const row of rows) {
    const length = integer(row, "length");
    answerBytes += length;
    if (answerBytes > ANSWER_BYTES_MAX && found.length > 0) break;
    const id = integer(row, "id");
    const packed = bytesOf.get(id);
    found.push({
      id,
      agentId: text(row, "agent_id"),
      bytes: unpack({ codec: integer(packed, "codec"), bytes: blob(packed, "bytes") }, { length }),
      from: integer(row, "from_position"),
    });
  }
  return found;
}

function conditionsOf(
  query: BlockQuery,
): { readonly conditions: readonly string[]; readonly values: readonly (string | number)[] } {
  const conditions: string[] = [];
  const values: (string | number)[] = [];
  const where = (condition: string, ...bound: readonly (string | number)[]): void => {
    conditions.push(condition);
    values.push(...bound);
  };
  if (query.sinceMs !== undefined) where("last_ms >= ?", query.sinceMs);
  if (query.untilMs !== undefined) where("first_ms <= ?", query.untilMs);
  if (query.before !== undefined) where("blocks.id < ?", query.before);
  if (query.agentId !== undefined) where("agents.id = ?", query.agentId);
  if (query.kinds !== undefined) {
    const { kernelKinds, userKinds } = kindMasks(query.kinds);
    where("((kernel_kinds & ?) | (user_kinds & ?)) <> 0", kernelKinds, userKinds);
  }
  return { conditions, values };
}
