/**
 * The operators' side of a hive as a plain fetch handler, made from the environment: for whatever
 * serves HTTP (`deno serve hive/serve.ts`). It reads the store of `IMMUNE_STATE`, which no running
 * hive may have, and takes no batches, sends no orders and enrols nobody (specs/hive.md); a whole
 * hive is {@linkcode createHive}. Whoever serves it ends TLS.
 *
 * @module
 */
import { AuditLog } from "../common/audit/mod.ts";
import { loadConfig } from "../common/config/mod.ts";
import { createApi, type Peer } from "./api/mod.ts";
import { AUDIT_FOLDER, openHiveFolder, STORE_FILE } from "./folder.ts";
import { Operators, operatorTokenHash } from "./operators/mod.ts";
import { configuredProvider } from "./operators/provider.ts";
import { SqliteStore } from "./store/mod.ts";

export * from "./hive.ts";

type Handler = (request: Request, peer: Peer) => Response | Promise<Response>;

/** Version that is told where only the handler runs. */
const VERSION = "serve";

let handler: Handler | undefined;

/** Opened with the first request: who imports this module for something else opens nothing. */
function handlerOf(environment: Readonly<Record<string, string>>): Handler {
  const { values } = loadConfig({ flags: {}, environment });
  const folder = openHiveFolder(values.state.dir);
  const { store_bytes: bytesMax } = values.hive;
  const store = new SqliteStore(`${folder}/${STORE_FILE}`, bytesMax === 0 ? {} : { bytesMax });
  const audit = AuditLog.open(`${folder}/${AUDIT_FOLDER}`);
  const tokenHash = operatorTokenHash(values.state.dir);
  const twoPerson = values.operators.two_person;
  const oidc = configuredProvider(values.operators);
  const operators = new Operators({
    tokenHash,
    store,
    audit,
    twoPerson,
    ...(oidc === undefined ? {} : { oidc }),
  });
  const api = createApi({ store, operators, audit, version: VERSION, behindTls: true });
  return (request, peer) => api.fetch(request, peer);
}

export default {
  fetch(request: Request, peer: Peer = {}): Response | Promise<Response> {
    handler ??= handlerOf(Deno.env.toObject());
    return handler(request, peer);
  },
};
