import { batchOf } from "../support/intake.ts";
import type { Attack } from "./table.ts";
import { counted, NOT_ACCEPTED, post, renewed, type Scene, transportTable } from "./_transport.ts";

const UTF8 = new TextEncoder();

const REVOCATION: readonly Attack<Scene>[] = [
  {
    tries: "a revoked certificate",
    refused: NOT_ACCEPTED,
    attempt: async (scene) => {
      await scene.hive.store.revokeAgent(scene.agent.id);
      return await post(scene, scene.agent);
    },
  },
  {
    tries: "an idle connection that goes on behind a revocation",
    refused: "no answer, revoked",
    attempt: async ({ hive, agent }) => {
      using connection = await hive.connect(agent);
      await hive.store.revokeAgent(agent.id);
      await connection.read(new Uint8Array(1)).catch(() => null);
      return await counted(hive);
    },
  },
  {
    tries: "a body that is on its way while its sender is revoked",
    refused: "no answer, revoked",
    attempt: async ({ hive, agent }) => {
      using connection = await hive.connect(agent);
      const head = "POST /v1/batches HTTP/1.1\r\nHost: hive\r\nContent-Length: 4000\r\n\r\n";
      await connection.write(UTF8.encode(head));
      await hive.store.revokeAgent(agent.id);
      await connection.read(new Uint8Array(1)).catch(() => null);
      return await counted(hive);
    },
  },
  {
    tries: "a certificate whose successor was used",
    refused: NOT_ACCEPTED,
    attempt: async (scene) => {
      const next = await renewed(scene);
      await post(scene, next, { body: batchOf({ hostId: scene.agent.hostId }) });
      return await post(scene, scene.agent);
    },
  },
  {
    tries: "a connection of a certificate whose successor is used",
    refused: "no answer, revoked",
    attempt: async (scene) => {
      const { hive, agent } = scene;
      const next = await renewed(scene);
      using connection = await hive.connect(agent);
      await post(scene, next, { body: batchOf({ hostId: agent.hostId }) });
      await connection.read(new Uint8Array(1)).catch(() => null);
      return await counted(hive);
    },
  },
  {
    tries: "a certificate of an authority that was replaced without an overlap",
    refused: "no answer, bad_certificate",
    attempt: async (scene) => {
      await scene.hive.trust.rotateAuthority(0);
      await scene.hive.counters();
      return await post(scene, scene.agent);
    },
  },
  {
    tries: "a connection of an authority that is replaced without an overlap",
    refused: "no answer, bad_certificate",
    attempt: async ({ hive, agent }) => {
      using connection = await hive.connect(agent);
      await hive.trust.rotateAuthority(0);
      await connection.read(new Uint8Array(1)).catch(() => null);
      return await counted(hive);
    },
  },
];

transportTable("revocation", REVOCATION);
