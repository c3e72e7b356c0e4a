import type { LogLine } from "./log_event.ts";

/** So far ahead of now a line may be by its own clock, in milliseconds: a day, for time zones. */
const AHEAD_MS = 86_400_000;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// Each is anchored at the start of the line; what follows belongs to the message whatever it says.
const PRIORITY = /^<\d{1,3}>/;
const RFC5424 = /^1 (\S+) \S+ (\S{1,64}) (\S{1,128}) \S+ /;
const RFC3164 = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d) \S{1,255} /;
const ISO = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)) \S{1,255} /;
const TAG = /^([^\s:[\]]{1,128})(?:\[(\d{1,10})\])?:(?: |$)/;
/** One element of structured data (RFC 5424, 6.3); a value's quotes and brackets are escaped. */
const ELEMENT = /^\[[^\s="\]]{1,32}(?: [^\s="\]]{1,32}="(?:[^"\\\]]|\\.)*")*\]/;

/**
 * Reads a line of a syslog daemon's file: RFC 3164 with the host's local time, the same with an ISO
 * 8601 time (rsyslog's own form), or RFC 5424.
 *
 * @param line The line, without its end.
 * @param nowMs Unix time in milliseconds: lines of RFC 3164 have no year.
 * @returns The line, or `undefined` when it is of no such form.
 */
export function parseSyslogLine(line: string, nowMs: number): LogLine | undefined {
  const rest = line.slice(PRIORITY.exec(line)?.[0].length ?? 0);
  const structured = RFC5424.exec(rest);
  if (structured !== null) return structuredLine(rest, structured);
  const iso = ISO.exec(rest);
  if (iso !== null) {
    return tagged(rest.slice(iso[0].length), isoTime(iso[1] ?? ""));
  }
  const old = RFC3164.exec(rest);
  if (old === null) return undefined;
  return tagged(rest.slice(old[0].length), localTime(old, nowMs));
}

function structuredLine(rest: string, found: RegExpExecArray): LogLine | undefined {
  const [head, time = "", program = "", process = ""] = found;
  let message = rest.slice(head.length);
  if (message.startsWith("-")) message = message.slice(1);
  else {
    const start = message.length;
    for (let element = ELEMENT.exec(message); element !== null; element = ELEMENT.exec(message)) {
      message = message.slice(element[0].length);
    }
    if (message.length === start) return undefined;
  }
  // After the structured data comes a space or nothing; a byte order mark may stand before the text.
  if (message !== "" && !message.startsWith(" ")) return undefined;
  return {
    origin: "file",
    timeMs: isoTime(time),
    program: program === "-" ? "" : program,
    pid: /^\d{1,10}$/.test(process) ? pidOf(process) : 0,
    message: message.slice(1).replace(/^\uFEFF/, ""),
  };
}

function tagged(text: string, timeMs: number | undefined): LogLine {
  const tag = TAG.exec(text);
  if (tag === null) return { origin: "file", timeMs, program: "", pid: 0, message: text };
  const [head, program = "", process] = tag;
  return {
    origin: "file",
    timeMs,
    program,
    pid: pidOf(process ?? "0"),
    message: text.slice(head.length),
  };
}

/** A number of a process; 0 for one that no kernel gives (PID_MAX_LIMIT is 2^22). */
export function pidOf(text: string): number {
  const pid = Number(text);
  return Number.isSafeInteger(pid) && pid > 0 && pid <= 2 ** 22 ? pid : 0;
}

function isoTime(text: string): number | undefined {
  const time = Date.parse(text.replace(",", "."));
  return Number.isNaN(time) ? undefined : time;
}

/** The last such moment that is not ahead of now. */
function localTime(found: RegExpExecArray, nowMs: number): number | undefined {
  const month = MONTHS.indexOf(found[1] ?? "");
  const [day = 0, hour = 0, minute = 0, second = 0] = found.slice(2, 6).map(Number);
  if (month < 0) return undefined;
  const year = new Date(nowMs).getFullYear();
  for (const candidate of [year + 1, year, year - 1]) {
    const date = new Date(candidate, month, day, hour, minute, second);
    // A day that the month does not have is another month's: 29 February of most years.
    if (date.getMonth() === month && date.getTime() <= nowMs + AHEAD_MS) return date.getTime();
  }
  return undefined;
}
