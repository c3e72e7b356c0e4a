// A hive's half of the wire as a process of its own: store, enrolment and agents' port on a state
// folder. Prints {"ready": ...} once it listens, and with --token a token for one agent.
//
// deno run -A tests/chaos/hive.ts FOLDER AGENTS_PORT ENROLL_PORT [--token]
import { createEnrolment, makeToken, serveEnrolment, TrustKeeper } from "../../hive/fleet/mod.ts";
import { IntakeWorker } from "../../hive/intake/mod.ts";
import { StoreWorker } from "../../hive/store/mod.ts";

const [folder = "", agentsPort = "0", enrollPort = "0", wanted] = Deno.args;
Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
const trust = await TrustKeeper.open(folder);
const { authority, server } = trust;
const worker = await StoreWorker.start({ path: `${folder}/store.db` });
const store = worker.client();
const enrolment = serveEnrolment(createEnrolment({ store, authority }).app.fetch, {
  hostname: "127.0.0.1",
  port: Number(enrollPort),
  certificatePem: server.certificatePem,
  keyPem: server.keyPem,
});
const intake = await IntakeWorker.start({
  settings: {
    hostname: "127.0.0.1",
    port: Number(agentsPort),
    trust: trust.intakeTrust(),
  },
  store: worker.connect(),
  onLine: (line) => console.error(line),
});
const token = wanted !== "--token" ? undefined : await makeToken(store, {
  enroll: `127.0.0.1:${enrolment.port}`,
  agents: `127.0.0.1:${intake.port}`,
  pins: server.pins,
});
console.log(JSON.stringify({ ready: true, token: token?.text }));
await Promise.race([intake.failed, worker.failed]);
