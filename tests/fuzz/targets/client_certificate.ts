import { inFolder, makeRequest } from "../../../hive/trust/_test_support.ts";
import { Authority } from "../../../hive/trust/authority.ts";
import { ClientCertificateChecker } from "../../../hive/trust/client_certificate.ts";
import { PemConverter } from "../../../hive/trust/x509.ts";
import { type FuzzTarget, plainSubject } from "../target.ts";

const AGENT = "0b0c0d0e-1234-4abc-8def-001122334455";

/** `ClientCertificateChecker`: certificates, of which none but the whole one may be taken. */
export const target: FuzzTarget = {
  open: async () => {
    let seeds: readonly Uint8Array[] = [];
    let checker: ClientCertificateChecker | undefined;
    await inFolder(async (folder) => {
      const authority = await Authority.open(folder);
      const { request } = await makeRequest();
      const { pem } = await authority.sign(request, { agentId: AGENT });
      seeds = [pem, authority.certificatePem]
        .map((each) => new Uint8Array(PemConverter.decodeFirst(each)));
      const { certificatePem, fleetId } = authority;
      checker = new ClientCertificateChecker({ authoritiesPem: [certificatePem], fleetId });
    });
    const whole = seeds[0]?.toHex();
    return plainSubject(seeds, (der) => {
      const check = checker?.check(der, Date.now());
      return check?.ok === true && der.toHex() !== whole ? "a damaged one was taken" : undefined;
    });
  },
};
