// Appends until it is killed; each line of its output is a sequence whose append resolved.
import { sampleFact, SMALL } from "./_test_support.ts";
import { AuditLog } from "./log.ts";

const audit = AuditLog.open(Deno.args[0] ?? "", SMALL);
const text = new TextEncoder();
for (let number = 1;; number++) {
  const entries = await Promise.all([
    audit.append(sampleFact(number)),
    audit.append(sampleFact(0)),
  ]);
  Deno.stdout.writeSync(text.encode(entries.map(({ sequence }) => `${sequence}\n`).join("")));
}
