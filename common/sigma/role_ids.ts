/** Ids of the roles that every part of the product knows. */
export const ROLE_IDS = {
  inference: 1,
  notebook: 2,
  training: 3,
  mcp: 4,
  coding_agent: 5,
  orchestrator: 6,
} as const;
