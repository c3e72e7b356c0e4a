// Programs that let people in, or let them be another user, with few words: su and login of
// util-linux, pkexec, doas.

import type { Reading } from "./log_event.ts";

const SU = /^(FAILED SU )?\(to (\S{1,256})\) (\S{1,256}) on (\S{1,64})$/;
const LOGIN =
  /^(ROOT LOGIN|LOGIN|DIALUP AT \S{1,64} BY)(?: ON '?(\S{1,64}?)'?)?(?: BY (\S{1,256}))?(?: FROM '?(\S{1,255}?)'?)?$/;
const LOGIN_FAILED =
  /^FAILED LOGIN (?:SESSION |\(?\d{1,6}\)? )?(?:ON '(\S{1,64})'|FROM '?(\S{1,255}?)'?) FOR '(.*)', \S.*$/;
const PKEXEC =
  /^(\S{1,256}): (Executing command|Error executing command as another user: .{1,200}?) \[USER=(\S{1,256})\] \[TTY=(\S{1,64})\] \[CWD=.*?\] \[COMMAND=(.*)\]$/s;
const DOAS = /^(\S{1,256}) ran command (.*) as (\S{1,256}) from (\/.*)$/s;
const DOAS_FAILED = /^(failed auth for|command not permitted for) (\S{1,256})(?:: (.*))?$/s;

/**
 * What a message of `su` says.
 *
 * @param message The message.
 */
export function readSu(message: string): Reading {
  const found = SU.exec(message);
  if (found === null) return undefined;
  const [, failed, targetUser, user, terminal] = found;
  return {
    kind: "privilege",
    service: "su",
    outcome: failed === undefined ? "success" : "failure",
    user,
    targetUser,
    terminal: terminal === "none" ? undefined : terminal,
  };
}

/**
 * What a message of `login` says.
 *
 * @param message The message.
 */
export function readLogin(message: string): Reading {
  const failed = LOGIN_FAILED.exec(message);
  if (failed !== null) {
    const [, terminal, from, user] = failed;
    return { kind: "auth_failure", service: "login", outcome: "failure", user, terminal, from };
  }
  const found = LOGIN.exec(message);
  if (found === null) return undefined;
  const [, how, terminal, user, from] = found;
  return {
    kind: "login",
    service: "login",
    outcome: "success",
    method: "password",
    user: user ?? (how === "ROOT LOGIN" ? "root" : undefined),
    terminal,
    from,
  };
}

/**
 * What a message of `pkexec` says.
 *
 * @param message The message.
 */
export function readPkexec(message: string): Reading {
  const found = PKEXEC.exec(message);
  if (found === null) return undefined;
  const [, user, how, targetUser, terminal, command] = found;
  return {
    kind: "privilege",
    service: "pkexec",
    outcome: how === "Executing command" ? "success" : "failure",
    user,
    targetUser,
    terminal: terminal === "unknown" ? undefined : terminal,
    command,
  };
}

/**
 * What a message of `doas` says.
 *
 * @param message The message.
 */
export function readDoas(message: string): Reading {
  const ran = DOAS.exec(message);
  if (ran !== null) {
    const [, user, command, targetUser] = ran;
    return { kind: "privilege", service: "doas", outcome: "success", user, targetUser, command };
  }
  const failed = DOAS_FAILED.exec(message);
  if (failed === null) return undefined;
  const [, why, user, command] = failed;
  return {
    kind: "privilege",
    service: "doas",
    outcome: "failure",
    user,
    ...(command === undefined ? {} : { command }),
    ...(why === undefined ? {} : { method: why }),
  };
}
