/** A record of auditd's log. */
export interface AuditLine {
  /** As `USER_LOGIN`, `SYSCALL`. */
  readonly type: string;
  /** Unix time in milliseconds. */
  readonly timeMs: number;
  /** Records of one act have the same. */
  readonly serial: string;
  /** Its fields, decoded. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Most fields of one record that are read. */
export const AUDIT_FIELDS_MAX = 256;

const HEAD =
  /^(?:node=\S{1,255} )?type=([A-Z0-9_]{1,64}|UNKNOWN\[\d{1,5}\]) msg=audit\((\d{1,12})\.(\d{3}):(\d{1,20})\): ?/;
const FIELD = /([A-Za-z][\w-]{0,63})=("[^"]*"|\([^)]*\)|[^ "']*)/y;
/** What programs say, in quotes that are not escaped: what is in it may have such quotes too. */
const SAID = /(?:^| )msg='(.*)'/s;
/** Fields that libaudit itself puts to the end of what a program says: the last ones are its own. */
const LIBAUDIT_ENDS: ReadonlySet<string> = new Set(["exe", "hostname", "addr", "terminal", "res"]);
/** Fields whose value the writer gives as it is in quotes, else in hexadecimal digits. */
const ENCODED = /^(?:acct|comm|exe|name|cwd|cmd|proctitle|key|data|dir|path|watch|a\d{1,3})$/;
const HEX = /^(?:[0-9A-F]{2})+$/;
/** Stands between what was recorded and what auditd adds in its enriched form. */
const ENRICHED = "\x1d";
const DECODER = new TextDecoder();

/**
 * Reads a line of auditd's log. Values that a user can choose come in quotes, or in hexadecimal
 * digits where they hold a double quote or a space: none can look like another field.
 *
 * @param line The line, without its end.
 * @returns The record, or `undefined` when it is none.
 */
export function parseAuditLine(line: string): AuditLine | undefined {
  const head = HEAD.exec(line);
  if (head === null) return undefined;
  const [all, type = "", seconds, millis, serial = ""] = head;
  const rest = line.slice(all.length);
  const end = rest.lastIndexOf(ENRICHED);
  const recorded = end < 0 ? rest : rest.slice(0, end);
  const enriched = end < 0 ? "" : rest.slice(end + 1);
  const said = SAID.exec(recorded);
  const own = said === null ? recorded : recorded.slice(0, said.index);
  const fields: Record<string, string> = Object.create(null);
  for (const part of [own, said?.[1] ?? "", enriched]) {
    const read = fieldsIn(part, type);
    for (const name in read) fields[name] ??= read[name] ?? "";
  }
  return { type, timeMs: Number(seconds) * 1000 + Number(millis), serial, fields };
}

/** Fields of a part: the first one of a name counts, of those that libaudit ends with the last. */
function fieldsIn(text: string, type: string): Record<string, string> {
  const fields: Record<string, string> = Object.create(null);
  for (let count = 0, at = 0; at < text.length && count < AUDIT_FIELDS_MAX; count++) {
    FIELD.lastIndex = at;
    const found = FIELD.exec(text);
    const [whole = "", name = "", value = ""] = found ?? [];
    at += whole.length;
    // A value ends at a space, or it is none: what it holds then is nobody's field.
    if (found !== null && (at === text.length || text[at] === " ")) {
      if (LIBAUDIT_ENDS.has(name) || fields[name] === undefined) {
        fields[name] = decoded(name, { value, type });
      }
    }
    const next = text.indexOf(" ", at);
    at = next < 0 ? text.length : next + 1;
  }
  return fields;
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
