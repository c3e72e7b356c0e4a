import type { Command } from "commander";
import * as z from "zod";
import { ApiClient } from "../api.ts";
import { table } from "../render/table.ts";
import { visible } from "../render/terminal.ts";
import { addSettings, settingsOf } from "../settings.ts";
import { print } from "../output.ts";
import { addJoining } from "./agents_join.ts";

const agentsSchema = z.object({
  agents: z.array(z.looseObject({
    id: z.string(),
    hostName: z.string(),
    lastSeenAt: z.string().nullable(),
    revoked: z.boolean(),
    online: z.boolean(),
    ledger: z.looseObject({
      made: z.number(),
      stored: z.number(),
      lost: z.number(),
      certain: z.boolean(),
    }),
  })),
});
type AgentLine = z.infer<typeof agentsSchema>["agents"][number];

/** `immune agents` */
export function addAgents(program: Command): void {
  const agents = program.command("agents").description(
    "look at the agents of the hive, and let others join",
  );
  addJoining(agents);
  const list = agents.command("list")
    .description("show every agent with its ledger: made = stored + lost")
    .option("--json", "print one JSON object an agent");
  addSettings(list).action(async () => {
    const { values } = settingsOf(list);
    const api = new ApiClient(values);
    const found = agentsSchema.parse(await api.get("/api/v1/agents")).agents;
    const lines = values.output.json
      ? found.map((agent) => JSON.stringify(agent))
      : [table(found, COLUMNS).trimEnd()];
    for (const line of lines) print(line);
  });
}

const COLUMNS = [
  { title: "AGENT", value: (agent: AgentLine): string => agent.id },
  { title: "HOST", value: (agent: AgentLine): string => visible(agent.hostName) },
  { title: "STATE", value: stateOf },
  { title: "LAST SEEN", value: (agent: AgentLine): string => agent.lastSeenAt ?? "never" },
  { title: "MADE", value: (agent: AgentLine): string => String(agent.ledger.made) },
  { title: "STORED", value: (agent: AgentLine): string => String(agent.ledger.stored) },
  { title: "LOST", value: lostOf },
];

function stateOf(agent: AgentLine): string {
  if (agent.revoked) return "revoked";
  return agent.online ? "online" : "offline";
}

/** A count that is not certain is a least one. */
function lostOf({ ledger }: AgentLine): string {
  return `${ledger.certain ? "" : "at least "}${ledger.lost}`;
}
