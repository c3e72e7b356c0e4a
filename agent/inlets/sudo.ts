import type { Reading } from "./log_event.ts";

/** What sudo says of a command, by the names that it and rules use. */
export type SudoFields = Readonly<Record<string, string>>;

/** Longest list of parts in front of the command. */
const PARTS_MAX = 12;
const HEAD = /^ *(\S{1,256}) : /;
const PART = /^(?:(HOST|TTY|CHROOT|PWD|USER|GROUP|TSID|ENV)=(.*?)|([a-z0-9].{0,200}?)) ; /;
const COMMAND = /^COMMAND=(.*)$/s;

/**
 * Takes a line of sudo apart: who, reasons and parts, and the command, which is always the last part
 * and may hold anything. sudo writes control characters as octal numbers.
 *
 * @param message The message.
 * @returns `user`, `reason` where it was refused, and parts by their names; `undefined` for another
 * line.
 */
export function sudoFields(message: string): SudoFields | undefined {
  const head = HEAD.exec(message);
  if (head === null) return undefined;
  const fields: Record<string, string> = { user: head[1] ?? "" };
  let rest = message.slice(head[0].length);
  for (let parts = 0; parts < PARTS_MAX; parts++) {
    const command = COMMAND.exec(rest);
    if (command !== null) return { ...fields, COMMAND: command[1] ?? "" };
    const part = PART.exec(rest);
    if (part === null) break;
    const [whole, name, value = "", reason] = part;
    if (name === undefined) fields["reason"] = reason ?? "";
    // The first one is sudo's own: what comes later may be in a folder's name.
    else fields[name] ??= value;
    rest = rest.slice(whole.length);
  }
  return undefined;
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
