import { ImmuneError } from "../../common/config/errors.ts";
import { RemoteStore } from "../store/remote.ts";
import { AlertMatcher } from "./alert_matcher.ts";
import { compileApart } from "./compile.ts";
import { Detector } from "./detector.ts";
import { DetectionFeed } from "./feed.ts";
import type { DetectCommand, DetectReport, RulesPlace } from "./messages.ts";

interface Running {
  readonly detector: Detector;
  readonly feed: DetectionFeed;
  readonly rules: RulesPlace;
  /** Settled once rules are in force and alerts are looked at, or there are no rules to be had. */
  readonly ready: Promise<void>;
}

/** The detection's Worker: correlates until it is stopped. */
export function serveDetection(): void {
  let running: Running | undefined;
  const handle = async (command: DetectCommand): Promise<void> => {
    if (command.type === "start") {
      running = await start(command);
      report({ type: "started" });
      // Nobody waits for rules to compile: alerts stay in the store until then.
      await running.ready;
      return;
    }
    if (running === undefined) throw new TypeError("The detection's first command is its start");
    const { detector, feed, ready } = running;
    if (command.type === "reload") {
      await ready;
      await takeUp(running);
      report({ type: "reloaded" });
    } else if (command.type === "counters") {
      report({ type: "counters", counters: detector.counters });
    } else {
      await ready.then(() => feed.stop());
      report({ type: "stopped", counters: detector.counters });
    }
  };
  self.onmessage = ({ data }: MessageEvent<DetectCommand>) => {
    handle(data).catch((error) => {
      const code = error instanceof ImmuneError ? error.code : "INTERNAL";
      const message = error instanceof Error ? error.message : String(error);
      report({ type: "failed", code, message });
    });
  };
  // What is sent before this Worker listens is lost: its owner waits for this.
  report({ type: "listening" });
}

async function start(
  { rules, store }: Extract<DetectCommand, { type: "start" }>,
): Promise<Running> {
  const detector = new Detector({ matcher: await AlertMatcher.create(), onLine: tell });
  const feed = new DetectionFeed({ store: new RemoteStore(store), detector, onLine: tell });
  return { detector, feed, rules, ready: takeUp({ detector, feed, rules }) };
}

/** Without rules alerts wait in the store: those that a reload brings are to see them. */
async function takeUp({ detector, feed, rules }: Omit<Running, "ready">): Promise<void> {
  if (await takeRules(detector, rules)) await feed.start();
}

/** Rules that cannot be read leave those before in force: a hive without them is still a hive. */
async function takeRules(detector: Detector, place: RulesPlace): Promise<boolean> {
  try {
    const rules = await compileApart(place);
    for (const problem of rules.problems) tell(problem);
    detector.use(rules);
    return true;
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
    return false;
  }
}

function tell(line: string): void {
  report({ type: "line", line });
}

function report(message: DetectReport): void {
  (self as unknown as { postMessage(message: DetectReport): void }).postMessage(message);
}
