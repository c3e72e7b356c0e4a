import type { StopAction } from "../../common/wire/mod.ts";
import { EVERY_HOST, readDirective } from "../../common/wire/mod.ts";
import type { StopKeyFacts } from "../../common/keys/mod.ts";
import type { AgentOrders, DirectiveSummary } from "../store/directive_store.ts";
import type { ApiContext } from "./context.ts";
import { commandsOf } from "./order_acts.ts";

/** Uses of the kill switch that are told of, the newest. */
export const KILL_SWITCH_USES_MAX = 20;

/** One use of the kill switch. */
export interface KillSwitchUse extends DirectiveSummary {
  /** What the holders signed. */
  readonly action: StopAction;
}

/** How the kill switch stands. What is published of the stop key names no share. */
export interface KillSwitchView {
  readonly fleet: string;
  /** `undefined` = there is none yet. */
  readonly stopKey: StopKeyFacts | undefined;
  /** Newest first, at most {@linkcode KILL_SWITCH_USES_MAX}. */
  readonly uses: readonly KillSwitchUse[];
  /** Every host that may be stopped. */
  readonly agents: readonly AgentOrders[];
}

/**
 * Looks how the kill switch stands.
 *
 * @param api Where it is.
 * @throws {ImmuneError} `NOT_FOUND` for a hive that gives no orders.
 */
export async function killSwitchView(api: ApiContext): Promise<KillSwitchView> {
  const commands = commandsOf(api);
  const { store } = api;
  const [agents, stops, stopKey] = await Promise.all([
    store.agentOrders(),
    store.directives(KILL_SWITCH_USES_MAX, { stream: "stop" }),
    commands.stopKey(),
  ]);
  return {
    fleet: commands.fleet,
    stopKey,
    uses: await usesOf(api, stops),
    agents: agents.filter(({ revoked }) => !revoked),
  };
}

/** What each says stands in what was signed. */
async function usesOf(
  { store }: ApiContext,
  stops: readonly DirectiveSummary[],
): Promise<readonly KillSwitchUse[]> {
  if (stops.length === 0) return [];
  const first = Math.min(...stops.map(({ number }) => number));
  const rows = await store.directivesFor({
    hostId: EVERY_HOST,
    after: { ...NOTHING_ELSE, stop: first - 1 },
    nowMs: 0,
  });
  const actions = new Map(rows.flatMap(({ number, bytes }) => {
    const read = readDirective(bytes);
    const isStop = !("cause" in read) && read.directive.kind === "stop";
    return isStop ? [[number, read.directive.body.action] as const] : [];
  }));
  return stops.flatMap((stop) => {
    const action = actions.get(stop.number);
    return action === undefined ? [] : [{ ...stop, action }];
  });
}

const NOTHING_ELSE = {
  directive: Number.MAX_SAFE_INTEGER,
  canary: Number.MAX_SAFE_INTEGER,
} as const;
