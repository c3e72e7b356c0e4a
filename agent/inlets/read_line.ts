import { type LogEvent, type LogLine, type Reading, REPEATED, type Told } from "./log_event.ts";
import { readDoas, readLogin, readPkexec, readSu } from "./other_programs.ts";
import { readPam } from "./pam.ts";
import { readSshd, SSHD_PROGRAMS } from "./sshd.ts";
import { readSudo, sudoFields } from "./sudo.ts";

type Reader = (message: string) => Reading;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ...[...SSHD_PROGRAMS].map((name): [string, Reader] => [name, readSshd]),
  ["sudo", readSudo],
  ["su", readSu],
  ["login", readLogin],
  ["pkexec", readPkexec],
  ["doas", readDoas],
]);

/** They do their work as root: what anybody else says for them is not theirs. */
const ROOT_ALONE: ReadonlySet<string> = new Set([...SSHD_PROGRAMS, "login"]);

/**
 * What a line says, by the grammar of the program that it names.
 *
 * @param line The line.
 * @returns The event; `REPEATED` for a line that says again what another one does.
 */
export function readLine(line: LogLine): LogEvent | typeof REPEATED {
  const told = READERS.get(line.program)?.(line.message) ?? readPam(line.message);
  if (told === REPEATED) return REPEATED;
  const read = { ...line, told: told ?? { kind: "log_line" }, fields: fieldsOf(line) } as const;
  return isForged(line, told) ? { ...read, writer: "other" } : read;
}

/** Only root lets anybody in; known also of a process that has ended, whose program nobody knows. */
function isForged({ program, writerId }: LogLine, told: Told | undefined): boolean {
  if (told === undefined || writerId === undefined || writerId === 0) return false;
  return told.kind === "login" || ROOT_ALONE.has(program);
}

/** Parts of sudo's lines by their own names: rules of the service `sudo` ask for them. */
function fieldsOf({ program, message }: LogLine): Readonly<Record<string, string>> {
  return program === "sudo" ? sudoFields(message) ?? {} : {};
}
