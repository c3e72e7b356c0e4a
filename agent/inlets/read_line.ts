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

/** rsyslog's word for a line that came again and again. */
const AGAIN = /^message repeated (\d{1,6}) times: \[ (.*)\]$/s;

/**
 * What a line says, by the grammar of the program that it names.
 *
 * @param line The line.
 * @returns The event; `REPEATED` for a line that says again what another one does.
 */
export function readLine(line: LogLine): LogEvent | typeof REPEATED {
  const [, times = "1", message = line.message] = AGAIN.exec(line.message) ?? [];
  const told = READERS.get(line.program)?.(message) ?? readPam(message);
  if (told === REPEATED) return REPEATED;
  const read: LogEvent = {
    ...line,
    told: told ?? { kind: "log_line" },
    times: Number(times),
    fields: fieldsOf(line.program, message),
  };
  return isForged(line, told) ? { ...read, writer: "other" } : read;
}

/** Only root lets anybody in; known also of a process that has ended, whose program nobody knows. */
function isForged({ program, writerId }: LogLine, told: Told | undefined): boolean {
  if (told === undefined || writerId === undefined || writerId === 0) return false;
  return told.kind === "login" || ROOT_ALONE.has(program);
}

/** Parts of sudo's lines by their own names: rules of the service `sudo` ask for them. */
function fieldsOf(program: string, message: string): Readonly<Record<string, string>> {
  return program === "sudo" ? sudoFields(message) ?? {} : {};
}
