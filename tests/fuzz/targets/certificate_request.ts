import { ImmuneError } from "../../../common/config/errors.ts";
import { makeRequest } from "../../../hive/trust/_test_support.ts";
import { Authority } from "../../../hive/trust/authority.ts";
import { PemConverter } from "../../../hive/trust/x509.ts";
import { requestOf } from "../../support/requests.ts";
import { type FuzzTarget, plainSubject } from "../target.ts";

const AGENT = "0b0c0d0e-1234-4abc-8def-001122334455";

/** `Authority.sign`: certificate requests, damaged below their PEM. */
export const target: FuzzTarget = {
  open: async () => {
    const folder = await Deno.makeTempDir();
    const authority = await Authority.open(folder);
    await Deno.remove(folder, { recursive: true });
    const requests = [
      (await makeRequest()).request,
      await requestOf(["-newkey", "rsa:1024"]),
      await requestOf(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"]),
    ];
    const seeds = requests.map((pem) => new Uint8Array(PemConverter.decodeFirst(pem)));
    return plainSubject(seeds, async (der) => {
      try {
        const { pem } = await authority.sign(
          PemConverter.encode(der, "CERTIFICATE REQUEST"),
          { agentId: AGENT },
        );
        return pem.startsWith("-----BEGIN CERTIFICATE-----") ? undefined : "no certificate";
      } catch (error) {
        if (error instanceof ImmuneError && error.code === "ENROLL_REFUSED") return undefined;
        return `it threw ${String(error)}`;
      }
    });
  },
};
