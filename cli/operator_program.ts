// Entry of the program with what operators type: it talks to the hive's API, and is small.

import { runProgram } from "./main.ts";

await runProgram({
  status: async () => (await import("./verbs/status.ts")).addStatus,
  alerts: async () => (await import("./verbs/alerts.ts")).addAlerts,
  agents: async () => (await import("./verbs/agents.ts")).addAgents,
  users: async () => (await import("./verbs/users.ts")).addUsers,
  tokens: async () => (await import("./verbs/tokens.ts")).addTokens,
  approvals: async () => (await import("./verbs/approvals.ts")).addApprovals,
});
