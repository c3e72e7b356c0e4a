import { type Reading, REPEATED, type Told } from "./log_event.ts";

/** Programs of OpenSSH's server; from 9.8 on the parts are programs of their own. */
export const SSHD_PROGRAMS: ReadonlySet<string> = new Set(["sshd", "sshd-session", "sshd-auth"]);

const FROM = String.raw`from (\S{1,255}) port (\d{1,5})`;
// Somebody who was let in is a user of this host: the first place that fits is the server's own.
const ACCEPTED = new RegExp(
  String.raw`^Accepted (\S{1,64}) for (.{1,256}?) ${FROM} ssh2(?:: .*)?$`,
);
// Whom the host does not know may have called himself anything, also "x from 192.0.2.1 port 1 ssh2":
// the last place is the server's own.
const FAILED = new RegExp(
  String.raw`^Failed (\S{1,64}) for (invalid user )?(.*) ${FROM}(?: ssh2)?(?: \[preauth\])?$`,
);
// With a key the server adds what it is, and a certificate's name is the client's to choose.
const FAILED_KEY = new RegExp(
  String.raw`^Failed (\S{1,64}) for (invalid user )?(.*?) ${FROM} ssh2: `,
);
const INVALID = new RegExp(String.raw`^Invalid user (.*) from (\S{1,255})(?: port (\d{1,5}))?$`);
const PAM =
  /^error: PAM: (?:Authentication failure|User not known to the underlying authentication module) for (illegal user )?(.*) from (\S{1,255})$/;
const PLACE = new RegExp(FROM, "g");
const UNKNOWN = /(?:invalid|illegal) user /;

/**
 * What a message of OpenSSH's server says.
 *
 * @param message The message.
 */
export function readSshd(message: string): Reading {
  if (/^pam_\w{1,32}\(sshd:/.test(message)) return REPEATED;
  const accepted = ACCEPTED.exec(message);
  if (accepted !== null) {
    const [, method, user, from, port] = accepted;
    return told("login", { outcome: "success", method, user, from, port: Number(port) });
  }
  const failed = FAILED.exec(message);
  if (failed !== null) return failure(failed, { isCertain: true });
  const key = FAILED_KEY.exec(message);
  if (key !== null) {
    // Both the user's name and the certificate's may hold such a place: then no place is certain.
    const isCertain = key[2] === undefined || (message.match(PLACE)?.length ?? 0) === 1;
    return failure(key, { isCertain });
  }
  const invalid = INVALID.exec(message);
  if (invalid !== null) {
    const [, user, from, port] = invalid;
    return told("auth_failure", {
      outcome: "failure",
      user,
      unknownUser: true,
      from,
      ...(port === undefined ? {} : { port: Number(port) }),
    });
  }
  const pam = PAM.exec(message);
  if (pam === null) return unknownIn(message);
  const [, unknown, user, from] = pam;
  return told("auth_failure", {
    outcome: "failure",
    method: "keyboard-interactive",
    user,
    unknownUser: unknown !== undefined,
    from,
  });
}

/**
 * The server names whom the host does not know in other lines too, as when he goes: what was typed
 * for the name is to be known, so that it can be hidden.
 */
function unknownIn(message: string): Reading {
  const start = UNKNOWN.exec(message);
  if (start === null) return undefined;
  const rest = message.slice(start.index + start[0].length).replace(/ \[preauth\]$/, "");
  // Behind the name stands the place, with a word for it or none.
  const port = rest.lastIndexOf(" port ");
  const place = port < 0 ? -1 : rest.lastIndexOf(" ", port - 1);
  const user = place < 0 ? rest : rest.slice(0, place).replace(/ from$/, "");
  return { kind: "log_line", service: "sshd", user, unknownUser: true };
}

function failure(
  [, method, unknown, user, from, port]: RegExpExecArray,
  { isCertain }: { readonly isCertain: boolean },
): Told {
  return told("auth_failure", {
    outcome: "failure",
    method,
    user: isCertain ? user : undefined,
    unknownUser: unknown !== undefined,
    ...(isCertain ? { from, port: Number(port) } : {}),
  });
}

function told(kind: Told["kind"], rest: Omit<Told, "kind" | "service">): Told {
  return { kind, service: "sshd", ...rest };
}
