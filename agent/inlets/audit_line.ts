/** A record of auditd's log. */
export interface AuditLine {
  /** As `USER_LOGIN`, `SYSCALL`. */
  readonly type: string;
  /** Unix time in milliseconds. */
  readonly timeMs: number;
  /** Records of one act have the same. */
  readonly serial: string;
  /** Its fields, decoded; the first one of a name counts. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Most fields of one record that are read. */
export const AUDIT_FIELDS_MAX = 256;

const HEAD =
  /^(?:node=\S{1,255} )?type=([A-Z0-9_]{1,64}|UNKNOWN\[\d{1,5}\]) msg=audit\((\d{1,12})\.(\d{3}):(\d{1,20})\): ?/;
const FIELD = /([A-Za-z][\w-]{0,63})=("[^"]*"|\([^)]*\)|[^\s"']*)/y;
/** Fields whose value the writer gives as it is in quotes, else in hexadecimal digits. */
const ENCODED = /^(?:acct|comm|exe|name|cwd|cmd|proctitle|key|data|dir|path|watch|a\d{1,3})$/;
const HEX = /^(?:[0-9A-F]{2})+$/;
/** Stands between what was recorded and what auditd adds in its enriched form. */
const ENRICHED = "\x1d";
const DECODER = new TextDecoder();

/**
 * Reads a line of auditd's log. Values that a user can choose come in quotes, or in hexadecimal
 * digits where they hold a quote or a space: none can look like another field.
 *
 * @param line The line, without its end.
 * @returns The record, or `undefined` when it is none.
 */
export function parseAuditLine(line: string): AuditLine | undefined {
  const head = HEAD.exec(line);
  if (head === null) return undefined;
  const [all, type = "", seconds, millis, serial = ""] = head;
  const fields: Record<string, string> = Object.create(null);
  const [recorded = "", enriched = ""] = line.slice(all.length).split(ENRICHED, 2);
  // Programs put their own fields into `msg='...'`.
  const inner = /(?:^| )msg='([^']*)'/.exec(recorded);
  const own = inner === null ? recorded : recorded.replace(inner[0], "") + " " + (inner[1] ?? "");
  for (const part of [own, enriched]) readFields(part, { type, into: fields });
  return { type, timeMs: Number(seconds) * 1000 + Number(millis), serial, fields };
}

function readFields(
  text: string,
  { type, into }: { readonly type: string; readonly into: Record<string, string> },
): void {
  FIELD.lastIndex = 0;
  for (let count = 0, at = 0; at < text.length && count < AUDIT_FIELDS_MAX; count++) {
    FIELD.lastIndex = at;
    const found = FIELD.exec(text);
    if (found === null) {
      // Words that are no field: on to the next one.
      const next = text.indexOf(" ", at);
      if (next < 0) return;
      at = next + 1;
      continue;
    }
    const [whole, name = "", value = ""] = found;
    at += whole.length;
    // A value ends at a space, or it is none: what it holds then is nobody's field.
    if (at < text.length && !/[\s,]/.test(text[at] ?? "")) {
      const next = text.indexOf(" ", at);
      at = next < 0 ? text.length : next;
      continue;
    }
    while (at < text.length && /[\s,]/.test(text[at] ?? "")) at++;
    into[name] ??= decoded(name, { value, type });
  }
}

/** A system call's a0 to a3 are numbers, those of an exec are texts. */
function decoded(
  name: string,
  { value, type }: { readonly value: string; readonly type: string },
): string {
  if (value.startsWith('"')) return value.slice(1, -1);
  const isNumber = type !== "EXECVE" && /^a\d/.test(name);
  if (isNumber || !ENCODED.test(name) || !HEX.test(value)) return value;
  return DECODER.decode(Uint8Array.fromHex(value));
}
