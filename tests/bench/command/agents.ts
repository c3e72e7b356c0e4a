import { checkDirective } from "../../../agent/guards/check.ts";
import { HiveOrders } from "../../../common/link/orders.ts";
import { Backoff } from "../../../common/link/backoff.ts";
import { hiveClient } from "../../../common/link/transport.ts";
import { REFUSAL_CAUSES, type RefusalCause, type ResultReport } from "../../../common/wire/mod.ts";
import type { TestAgent } from "../../support/intake.ts";

/** Agents that connect at a time: a hive takes some hundred handshakes a second. */
const CONNECTING_MAX = 16;

/** Which agents, and where to. */
export interface AgentsCommand {
  readonly type: "connect";
  readonly port: number;
  readonly hivePem: string;
  readonly fleet: string;
  readonly directiveKey: string;
  readonly stopKey: string;
  readonly agents: readonly TestAgent[];
}

/** From the agents' Worker. */
export type AgentsReport =
  | { readonly type: "listening" }
  | { readonly type: "connected" }
  | { readonly type: "answered" }
  | { readonly type: "failed"; readonly message: string };

const REFUSED = Object.fromEntries(REFUSAL_CAUSES.map((cause) => [cause, 0])) as Record<
  RefusalCause,
  number
>;

/** Connects all, then checks and answers each stop. */
async function connect(command: AgentsCommand): Promise<void> {
  const waiting = [...command.agents];
  let answers = 0;
  const onAnswer = (): void => {
    answers++;
    if (answers % command.agents.length === 0) report({ type: "answered" });
  };
  const line = async (): Promise<void> => {
    for (let agent = waiting.pop(); agent !== undefined; agent = waiting.pop()) {
      await connectOne(agent, { command, onAnswer });
    }
  };
  await Promise.all(Array.from({ length: CONNECTING_MAX }, line));
  report({ type: "connected" });
}

/** Resolves when the downlink is open; the connection for answers is open by then too. */
async function connectOne(
  agent: TestAgent,
  { command, onAnswer }: { readonly command: AgentsCommand; readonly onAnswer: () => void },
): Promise<void> {
  const { port, hivePem, fleet, directiveKey, stopKey } = command;
  const { certificatePem, keyPem, hostId } = agent;
  const agents = `127.0.0.1:${port}`;
  const orders = new HiveOrders({
    agents,
    client: () => hiveClient({ agents, certificatePem, keyPem, hivePem }),
  });
  const state = { refused: REFUSED, stopped: false, canary: "fresh" } as const;
  // As a real agent has by its batches: a connection that is open already.
  await orders.report({ results: [], ...state });
  const frames = orders.frames({ directive: 0, canary: 0, stop: 0 }, new AbortController().signal);
  await frames.next();
  let highest = 0;
  const read = async (): Promise<void> => {
    for await (const bytes of frames) {
      if (bytes.length === 0) continue;
      const checked = await checkDirective(bytes, {
        fleet,
        hostId,
        keys: { directive: directiveKey, stop: stopKey },
        highest: { directive: 0, canary: 0, stop: highest },
        refuse: new Set(),
        seen: () => false,
        nonce: undefined,
        nowMs: Date.now(),
      });
      if (!checked.ok) throw new Error(`${checked.cause}: ${checked.why}`);
      const { number, kind } = checked.directive;
      if (kind !== "stop") continue;
      highest = number;
      const result = {
        sequence: number,
        stream: "stop",
        number,
        kind,
        outcome: "done",
        cause: null,
        text: "a bench has no sensor",
        timeMs: Date.now(),
      } as const;
      await tell(orders, { ...state, results: [result], stopped: true });
      onAnswer();
    }
  };
  read().catch((error: Error) => report({ type: "failed", message: error.message }));
}

/** Tells until the hive has heard, with the jitter of an agent. */
async function tell(orders: HiveOrders, told: ResultReport): Promise<void> {
  const backoff = new Backoff();
  for (;;) {
    try {
      return await orders.report(told);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, backoff.next()));
    }
  }
}

function report(message: AgentsReport): void {
  (self as unknown as { postMessage(message: AgentsReport): void }).postMessage(message);
}

self.onmessage = ({ data }: MessageEvent<AgentsCommand>) => {
  connect(data).catch((error: Error) => report({ type: "failed", message: error.message }));
};
report({ type: "listening" });
