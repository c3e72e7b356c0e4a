import { isJsonObject, type JsonObject, type LogSource } from "../../common/sigma/mod.ts";

/**
 * The log source that an event claims.
 *
 * @param event The event; `logsource` has `category`, `product` and `service`, each optional.
 * @returns The log source, or `undefined` where the event claims none.
 */
export function logSourceOf(event: JsonObject): LogSource | undefined {
  const claimed = event["logsource"];
  if (!isJsonObject(claimed)) return undefined;
  const parts = (["category", "product", "service"] as const)
    .filter((key) => typeof claimed[key] === "string")
    .map((key) => [key, String(claimed[key])]);
  return Object.fromEntries(parts);
}

/**
 * When an event happened.
 *
 * @param event The event: `@timestamp`, else `UtcTime` (UTC), else the line number in seconds.
 * @param line Its line, from 1.
 * @returns Milliseconds since 1970.
 */
export function eventTimeMs(event: JsonObject, line: number): number {
  return statedTimeMs(event) ?? line * 1000;
}

/**
 * When an event says that it happened.
 *
 * @param event The event: `@timestamp`, else `UtcTime` (UTC).
 * @returns Milliseconds since 1970; `undefined` when it says nothing that is a time.
 */
export function statedTimeMs(event: JsonObject): number | undefined {
  for (const key of ["@timestamp", "UtcTime"]) {
    const text = event[key];
    if (typeof text !== "string") continue;
    const zoned = /(?:Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text.replace(" ", "T")}Z`;
    const time = Date.parse(zoned);
    if (!Number.isNaN(time)) return time;
  }
  return undefined;
}
