import { TestHive } from "../support/intake.ts";
import { ROUTES } from "../../common/link/protocol.ts";
import { ExtendedKeyUsage, ExtendedKeyUsageExtension } from "../../hive/trust/x509.ts";
import { EnrolmentClient } from "../../agent/enrol/enrolment_client.ts";
import { type Attack, thrownBy } from "./table.ts";
import { forged, named, type Scene, transportTable } from "./_transport.ts";

const SERVERS = new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]);

const PINS: readonly Attack<Scene>[] = [
  {
    tries: "another hive at the same address",
    refused: "PIN_MISMATCH",
    attempt: async ({ hive }) => {
      await using impostor = await TestHive.start();
      return await pinnedBy(hive.server.successor.certificatePem, impostor);
    },
  },
  {
    tries: "the certificate of before the last two rotations",
    refused: "PIN_MISMATCH",
    attempt: async ({ hive }) => {
      const { certificatePem } = hive.server;
      await hive.trust.rotateServer(true);
      await hive.trust.rotateServer(true);
      await hive.counters();
      return await pinnedBy(certificatePem, hive);
    },
  },
  {
    tries: "a certificate that the hive's authority signed, shown as the hive's",
    refused: "PIN_MISMATCH",
    attempt: async (scene) => {
      const { hive } = scene;
      const { keyPem, certificatePem } = await forged(scene, () => [
        named({ type: "dns", value: "localhost" }, { type: "ip", value: "127.0.0.1" }),
        SERVERS,
      ]);
      await using server = Deno.serve(
        { hostname: "127.0.0.1", port: 0, cert: certificatePem, key: keyPem, onListen: () => {} },
        () => new Response("{}"),
      );
      return await pinnedAt(hive.server.certificatePem, server.addr.port);
    },
  },
];

function pinnedBy(pem: string, hive: TestHive): Promise<string> {
  return pinnedAt(pem, hive.intake.port);
}

/** What a client that pins a certificate says of whoever answers at a port. */
async function pinnedAt(pem: string, port: number): Promise<string> {
  using client = new EnrolmentClient(`127.0.0.1:${port}`, { pins: [pem] });
  return await thrownBy(() => client.ask(ROUTES.batches, {}));
}

transportTable("pins", PINS);
