// Programs that let people in, or let them be another user, with few words: su, login, pkexec, doas.

import { type Reading, REPEATED, type Told } from "./log_event.ts";

const SU = /^(FAILED SU )?\(to (\S{1,256})\) (\S{1,256}) on (\S{1,64})$/;
// login of util-linux: names stand bare, and its own words stand in front of them and behind.
const LOGIN =
  /^(ROOT LOGIN|LOGIN|DIALUP AT \S{1,64} BY)(?: ON '?(\S{1,64}?)'?)?(?: BY (\S{1,256}))?(?: FROM '?(\S{1,255}?)'?)?$/;
const LOGIN_FAILED =
  /^(?:FAILED LOGIN (?:\d{1,6}|SESSION)|TOO MANY LOGIN TRIES \(\d{1,6}\)) FROM (\S{1,255}) FOR (.*), [^,]+$/;
// login of shadow: place and name stand in quotes; of a place the first ones are its end.
const SHADOW_PLACE = String.raw`on '([^']{1,100})'(?: from '([^']{1,200})')?`;
const SHADOW_FAILED = new RegExp(
  String.raw`^FAILED LOGIN \(\d{1,6}\) ${SHADOW_PLACE} FOR '(.*)', [^']+$`,
);
const SHADOW_LOGIN = new RegExp(
  String.raw`^(?:ROOT LOGIN|'([^']{1,256})' logged in) {1,2}${SHADOW_PLACE}$`,
);
/** It stands behind the last one of what it counts. */
const SHADOW_LAST = /^TOO MANY LOGIN TRIES \(\d{1,6}\) on '/;
const LOGIN_PAM = /^pam_\w{1,32}\(login:auth\): (?:\d{1,6} more )?authentication failures?;/;
/** What both have for a name that they do not tell, as it may be a password. */
const NO_NAME: ReadonlySet<string> = new Set(["UNKNOWN", "(unknown)", ""]);
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
 * What a message of `login` says: that of util-linux, or that of shadow.
 *
 * @param message The message.
 */
export function readLogin(message: string): Reading {
  if (LOGIN_PAM.test(message) || SHADOW_LAST.test(message)) return REPEATED;
  const shadowFailed = SHADOW_FAILED.exec(message);
  if (shadowFailed !== null) return loginFailed(shadowFailed);
  const failed = LOGIN_FAILED.exec(message);
  if (failed !== null) {
    const [all, place = "", user] = failed;
    const terminal = /^(?:\/dev\/|tty|pts\/|hvc|console)/.test(place) ? place : undefined;
    return loginFailed([all, terminal, terminal === undefined ? place : undefined, user]);
  }
  const shadow = SHADOW_LOGIN.exec(message);
  if (shadow !== null) {
    const [, user = "root", terminal, from] = shadow;
    return loggedIn({ user, terminal, from });
  }
  const found = LOGIN.exec(message);
  if (found === null) return undefined;
  const [, how, terminal, user, from] = found;
  return loggedIn({ user: user ?? (how === "ROOT LOGIN" ? "root" : undefined), terminal, from });
}

type Place = readonly (string | undefined)[];

function loginFailed([, terminal, from, name]: Place): Told {
  const unknownUser = NO_NAME.has(name ?? "");
  return {
    kind: "auth_failure",
    service: "login",
    outcome: "failure",
    user: unknownUser ? undefined : name,
    unknownUser,
    terminal: terminal?.replace("/dev/", ""),
    from,
  };
}

function loggedIn(who: Pick<Told, "user" | "terminal" | "from">): Told {
  const terminal = who.terminal?.replace("/dev/", "");
  return { kind: "login", service: "login", outcome: "success", ...who, terminal };
}

/**
 * What a message of `pkexec` says.
 *
 * @param message The message.
 */
export function readPkexec(message: string): Reading {
  // Without its end each place where a command could begin would be tried, to the end of the line.
  const found = message.endsWith("]") ? PKEXEC.exec(message) : null;
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
