/** Acts that a hive can be told to do only when a second person approves them. */
export const TWO_PERSON_ACTS = [
  /** Another role of an account. */
  "user.role",
  /** Revoking agents, and blacklisting them, which revokes them too. */
  "agent.revoke",
  /** Rules and policies for hosts. */
  "directive.send",
  "directive_key.rotate",
  /** A stop key, the first one and its successors. */
  "kill_switch.init",
  /** What the holders of the stop key signed: stop, lift and drill. */
  "kill_switch.fire",
  /** The authority that signs agents' certificates. */
  "authority.rotate",
  /** The certificate that agents pin. */
  "server.rotate",
] as const;

/** Name of such an act, as the setting and the audit log have it. */
export type TwoPersonAct = (typeof TWO_PERSON_ACTS)[number];
