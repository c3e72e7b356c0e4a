import { CONNECTIONS_PER_CERTIFICATE_MAX } from "../../hive/intake/bounds.ts";
import { openssl } from "../support/openssl.ts";
import type { Attack } from "./table.ts";
import { counted, type Scene, toldOrCut, transportTable } from "./_transport.ts";

/** So often too many connections are tried on a slow host. */
const ROUNDS_MAX = 50;

const SESSIONS: readonly Attack<Scene>[] = [
  {
    tries: "TLS 1.2",
    refused: "no answer, tls_version",
    attempt: async ({ hive, agent }) => {
      await openssl(hive, { identity: agent, args: ["-tls1_2"] });
      return await counted(hive);
    },
  },
  {
    tries: "TLS 1.2 behind a rotation of the server's certificate",
    refused: "no answer, tls_version",
    attempt: async ({ hive, agent }) => {
      await hive.trust.rotateServer(true);
      await hive.counters();
      await openssl(hive, { identity: agent, args: ["-tls1_2"] });
      return await counted(hive);
    },
  },
  {
    tries: "plain HTTP",
    refused: "no answer, handshake",
    attempt: ({ hive }) => toldOrCut(hive, () => fetch(hive.url.replace("https", "http"))),
  },
  {
    tries: "a session that is resumed",
    refused: "no answer, resumed",
    attempt: async ({ hive, agent }) => {
      const session = `${hive.folder}/session`;
      await openssl(hive, { identity: agent, args: ["-sess_out", session, "-ign_eof"] });
      hive.lines.length = 0;
      await openssl(hive, { identity: agent, args: ["-sess_in", session, "-ign_eof"] });
      return await counted(hive);
    },
  },
  {
    tries: "a session of before a revocation, resumed behind it",
    refused: "no answer, resumed",
    attempt: async ({ hive, agent }) => {
      const session = `${hive.folder}/session`;
      await openssl(hive, { identity: agent, args: ["-sess_out", session, "-ign_eof"] });
      await hive.store.revokeAgent(agent.id);
      hive.lines.length = 0;
      await openssl(hive, { identity: agent, args: ["-sess_in", session, "-ign_eof"] });
      return await counted(hive);
    },
  },
  {
    tries: "one connection more than a certificate may have",
    refused: "no answer, connections",
    attempt: async ({ hive, agent }) => {
      const isTold = (): boolean => hive.lines.some((line) => line.endsWith(": connections"));
      // At once, and again: on a slow host the first are out of time when the last comes.
      for (let round = 0; !isTold() && round < ROUNDS_MAX; round++) {
        const more = Array.from(
          { length: CONNECTIONS_PER_CERTIFICATE_MAX + 1 },
          () => hive.connect(agent),
        );
        const open = await Promise.all(more);
        // Until one is refused, or all are out of time: never are there many more.
        while (!isTold() && (await hive.counters()).connections > 0);
        for (const connection of open) connection.close();
      }
      return isTold() ? "no answer, connections" : "an answer to each";
    },
  },
];

transportTable("sessions", SESSIONS);
