import { type Reading, REPEATED } from "./log_event.ts";

const HEAD = /^pam_\w{1,32}\(([\w.@-]{1,64}):(auth|session|account|chauthtok)\): (.*)$/s;
const OPENED =
  /^session opened for user (\S{1,256}?)(?:\(uid=\d+\))?(?: by (\S*?)(?:\(uid=\d+\))?)?$/;
// The words stand in this order; whose name is asked for stands last, and may be anything.
const FAILURE =
  /^(?:authentication failure|\d{1,6} more authentication failures?); logname=(\S*) uid=\d+ euid=\d+ tty=(\S*) ruser=(\S*) rhost=(\S*)(?: {1,2}user=(.*))?$/;
/** Services whose sessions are no logins: jobs, and those that tell of themselves. */
const QUIET: ReadonlySet<string> = new Set([
  "cron",
  "crond",
  "sshd",
  "sudo",
  "sudo-i",
  "su",
  "su-l",
  "runuser",
  "runuser-l",
  "systemd-user",
  "atd",
  "doas",
  "polkit-1",
]);

/**
 * What a message of a module of PAM says, whatever program it is in.
 *
 * @param message The message.
 */
export function readPam(message: string): Reading {
  const head = HEAD.exec(message);
  if (head === null) return undefined;
  const [, service = "", type, text = ""] = head;
  if (type === "session") {
    const opened = OPENED.exec(text);
    // login tells of root itself, of others only where it is asked to.
    if (QUIET.has(service) || opened === null) return REPEATED;
    if (service === "login" && opened[1] === "root") return REPEATED;
    return { kind: "login", service, outcome: "success", method: "pam", user: opened[1] };
  }
  const failure = type === "auth" ? FAILURE.exec(text) : null;
  if (failure === null) return undefined;
  const [, logname, terminal, ruser, rhost, user] = failure;
  return {
    kind: "auth_failure",
    service,
    outcome: "failure",
    method: "password",
    user: user ?? (ruser || logname || undefined),
    unknownUser: user === undefined,
    terminal: terminal || undefined,
    from: rhost || undefined,
  };
}
