import { openssl } from "../support/openssl.ts";
import type { Attack } from "./table.ts";
import { counted, type Scene, toldOrCut, transportTable } from "./_transport.ts";

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
      const open: Deno.TlsConn[] = [];
      for (let i = 0; i < 9; i++) open.push(await hive.connect(agent));
      // Those that are open may run out of time meanwhile: that is counted too.
      await hive.line(/: connections$/);
      for (const connection of open) connection.close();
      return "no answer, connections";
    },
  },
];

transportTable("sessions", SESSIONS);
