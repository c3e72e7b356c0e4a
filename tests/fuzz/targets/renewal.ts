import { ROUTES } from "../../../common/link/protocol.ts";
import { createIntake } from "../../../hive/intake/app.ts";
import { makeRequest } from "../../../hive/trust/_test_support.ts";
import { Authority } from "../../../hive/trust/authority.ts";
import { type FuzzTarget, plainSubject, serverFault } from "../target.ts";

const AGENT = "0b0c0d0e-1234-4abc-8def-001122334455";
const SHOWN = {
  fingerprint: "0a".repeat(32),
  agentId: AGENT,
  notBeforeMs: 0,
  notAfterMs: Number.MAX_SAFE_INTEGER,
};

/** Bodies of `POST /v1/renew`, from an agent that is known. */
export const target: FuzzTarget = {
  open: async () => {
    const folder = await Deno.makeTempDir();
    const authority = await Authority.open(folder);
    await Deno.remove(folder, { recursive: true });
    const row = { ...SHOWN, hostId: "0d".repeat(32), revoked: false, unused: false };
    const { app } = createIntake({
      source: () => SHOWN,
      store: {
        certificate: () => Promise.resolve(row),
        confirmCertificate: () => Promise.resolve(),
        append: () => Promise.resolve({ outcome: "gap", expected: 1 }),
        directivesFor: () => Promise.resolve([]),
        refusedCertificates: () => Promise.resolve([]),
        addReport: () => Promise.resolve(),
        herd: () => Promise.reject(new Error("nobody is heard")),
      },
      renew: async ({ agentId, request }) => {
        const { pem } = await authority.sign(request, { agentId });
        return { certificate: pem };
      },
    });
    const { request } = await makeRequest();
    const seed = new TextEncoder().encode(JSON.stringify({ request }));
    return plainSubject(
      [seed],
      async (body) => await serverFault(await app.request(ROUTES.renew, { method: "POST", body })),
    );
  },
};
