import { AuditReader } from "../../../agent/inlets/audit.ts";
import { LineBuffer } from "../../../agent/inlets/line_buffer.ts";
import type { LogEvent, REPEATED } from "../../../agent/inlets/log_event.ts";
import { readLine } from "../../../agent/inlets/read_line.ts";
import { parseSyslogLine } from "../../../agent/inlets/syslog_line.ts";
import { logRecord } from "../../../agent/inlets/to_record.ts";
import { decodeRecord } from "../../../common/record/mod.ts";
import { type FuzzTarget, plainSubject } from "../target.ts";

const NOW = Date.UTC(2026, 10, 28);
const ADDRESS = "192.0.2.9";
const SEEDS = [
  `Nov 28 03:41:04 h sshd[5]: Failed password for invalid user x from ${ADDRESS} port 5 ssh2`,
  `2026-11-28T03:41:04Z h sshd[5]: Accepted publickey for ada from ${ADDRESS} port 5 ssh2: RSA x`,
  '<34>1 2026-11-28T03:41:04Z h sudo 7 - [a b="c"] ada : TTY=pts/0 ; USER=root ; COMMAND=/bin/id',
  "Nov 28 03:41:04 h su[7]: (to root) ada on pts/0",
  "Nov 28 03:41:04 h x: pam_unix(x:auth): authentication failure; logname= uid=0 euid=0 tty=t " +
  `ruser= rhost=${ADDRESS}  user=ada`,
  `type=USER_LOGIN msg=audit(1.250:9): pid=1 uid=0 msg='op=login acct="ada" addr=${ADDRESS} res=failed'`,
].map((line) => new TextEncoder().encode(`${line}\n`));

/** Lines of logs: nothing of them makes the agent fail, and what they become is a record. */
export const target: FuzzTarget = {
  open: () =>
    plainSubject(SEEDS, (input) => {
      const audit = new AuditReader();
      for (const line of new LineBuffer().take(input)) {
        const parsed = parseSyslogLine(line, NOW);
        for (const read of [parsed && readLine(parsed), audit.read(line)]) {
          const wrong = recordOf(read);
          if (wrong !== undefined) return wrong;
        }
      }
      return undefined;
    }),
};

function recordOf(read: LogEvent | typeof REPEATED | undefined): string | undefined {
  if (typeof read !== "object") return undefined;
  const bytes = logRecord(read, { sequence: 1, timeNs: 0n, userId: () => undefined });
  const { kind } = decodeRecord(bytes);
  return kind === read.told.kind ? undefined : `it became "${kind}", not "${read.told.kind}"`;
}
