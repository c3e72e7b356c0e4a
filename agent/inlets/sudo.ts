import { known } from "../../common/record/known.ts";
import type { Reading } from "./log_event.ts";

/** What sudo says of a command, by the names that it and rules use. */
export type SudoFields = Readonly<Record<string, string>>;

/** Who, and why it was refused; what no user can choose, in front of the folder. */
const HEAD =
  /^ *(\S{1,256}) : (?:(?!(?:HOST|TTY|CHROOT|PWD|USER)=)([a-z0-9].{0,200}?) ; )?(?:HOST=(\S{1,256}) ; )?(?:TTY=(\S{1,256}) ; )?(?:CHROOT=(.*?) ; )?(?:PWD=)?/;
/** Whom they act as: behind the folder. */
const USER = /(?:^| ; )USER=([^;]{1,256}?) ; (?=(?:GROUP|TSID|ENV|COMMAND)=)/g;
/** What may stand between that and the command; variables are the user's. */
const MIDDLE = /^(?:GROUP=([^;]{1,256}?) ; )?(?:TSID=(\S{1,64}) ; )?(?:ENV=)?/;
const COMMAND = "COMMAND=";

/**
 * Takes a line of sudo apart. sudo writes control characters as octal numbers, and all else as it
 * is: folder, variables and command are the user's, and may look like parts of sudo's. Of a line
 * that can be read in two ways nothing is told that is another one in the other.
 *
 * @param message The message.
 * @returns `user`, `reason` where it was refused, and parts by their names; `undefined` for another
 * line.
 */
export function sudoFields(message: string): SudoFields | undefined {
  const head = HEAD.exec(message);
  if (head === null) return undefined;
  const [whole, user = "", reason, HOST, TTY, CHROOT] = head;
  const rest = message.slice(whole.length);
  const users = [...rest.matchAll(USER)];
  const [first] = users;
  if (first === undefined) return undefined;
  const PWD = whole.endsWith("PWD=") ? rest.slice(0, first.index) : undefined;
  const parts = { user, reason, HOST, TTY, CHROOT };
  if (users.length > 1) return known(parts);
  const behind = rest.slice(first.index + first[0].length);
  return known({ ...parts, PWD, USER: first[1], ...partsBehindUser(behind) });
}

function partsBehindUser(text: string): Partial<SudoFields> {
  const [whole = "", GROUP, TSID] = MIDDLE.exec(text) ?? [];
  const rest = text.slice(whole.length);
  if (!whole.endsWith("ENV=")) {
    return rest.startsWith(COMMAND) ? { GROUP, TSID, COMMAND: rest.slice(COMMAND.length) } : {};
  }
  const [ENV, command, another] = rest.split(` ; ${COMMAND}`, 3);
  return another === undefined ? { GROUP, TSID, ENV, COMMAND: command } : { GROUP, TSID };
}

/**
 * What a message of sudo says.
 *
 * @param message The message.
 */
export function readSudo(message: string): Reading {
  const fields = sudoFields(message);
  if (fields === undefined) return undefined;
  const { user, reason, USER, TTY, COMMAND: command } = fields;
  return {
    kind: "privilege",
    service: "sudo",
    outcome: reason === undefined ? "success" : "failure",
    user,
    targetUser: USER,
    terminal: TTY === "unknown" ? undefined : TTY,
    command,
    ...(reason === undefined ? {} : { method: reason }),
  };
}
