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
  if (pam === null) return undefined;
  const [, unknown, user, from] = pam;
  return told("auth_failure", {
    outcome: "failure",
    method: "keyboard-interactive",
    user,
    unknownUser: unknown !== undefined,
    from,
  });
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
