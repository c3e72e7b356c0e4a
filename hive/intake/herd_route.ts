import type { Context, Hono } from "hono";
import type { Clock } from "../../common/config/clock.ts";
import { ImmuneError } from "../../common/config/errors.ts";
import { antibodyId } from "../../common/herd/antibody.ts";
import { HERD_WORD_BYTES_MAX, type HerdWord, herdWordSchema } from "../../common/herd/word.ts";
import { ROUTES } from "../../common/link/protocol.ts";
import type { HerdSaid } from "../herd/word_trail.ts";
import type { Store } from "../store/store.ts";
import { errorAnswer } from "./answer.ts";
import { readBody } from "./body.ts";
import { HERD_AGENTS_MAX, HERD_WORDS_MAX, HERD_WORDS_WINDOW_MS } from "./bounds.ts";
import { fromStore } from "./deadline.ts";
import { bindingsOf, type IntakeEnv } from "./identity.ts";
import type { Refusals } from "./refusals.ts";

/** Options of {@linkcode addHerdRoute}. */
export interface HerdRouteOptions {
  readonly store: Pick<Store, "herd">;
  readonly refusals: Refusals;
  readonly clock: Clock;
  /** Told of each word that was heard, for the log of decisions. Default: nobody. */
  readonly onSaid?: (said: HerdSaid) => void;
}

/**
 * Adds `POST /v1/herd`: an agent vouches, reports, proposes, supports or objects. Who it is comes
 * from its certificate.
 *
 * @param app Where to, behind `identify`.
 * @param options Store, counters and clock.
 */
export function addHerdRoute(app: Hono<IntakeEnv>, options: HerdRouteOptions): void {
  const { store, refusals, clock, onSaid = (): void => {} } = options;
  const pace = new Pace(clock);
  app.post(ROUTES.herd, async (c) => {
    const by = c.var.client.agentId;
    const refuse = (error: ImmuneError): Response => {
      refusals.add("herd", `agent ${by} (${error.message})`);
      return errorAnswer(error);
    };
    if (!pace.allows(by)) {
      const message = `Cannot hear more than ${HERD_WORDS_MAX} words a minute of an agent`;
      return refuse(new ImmuneError("RATE_LIMITED", message));
    }
    const word = await readWord(c);
    if (word instanceof ImmuneError) return refuse(word);
    const said = { by, call: word.call, about: aboutOf(word) };
    try {
      const heard = await fromStore(say(store, { by, word }), clock);
      onSaid({ ...said, refused: null });
      return Response.json(heard);
    } catch (error) {
      if (!(error instanceof ImmuneError && error.code === "HERD_REFUSED")) throw error;
      onSaid({ ...said, refused: error.message });
      return refuse(error);
    }
  });
}

/** Hands a word over in the name of the agent whose certificate it came with. */
async function say(
  store: Pick<Store, "herd">,
  { by, word }: { readonly by: string; readonly word: HerdWord },
): Promise<unknown> {
  switch (word.call) {
    case "vouch":
    case "report":
      return await store.herd(word.call, { by, of: word.of });
    case "propose": {
      const { call, ...proposal } = word;
      return await store.herd(call, { ...proposal, by });
    }
    case "support": {
      const { antibodyId, alertId } = word;
      return await store.herd("support", { by, antibodyId, alertId });
    }
    case "object":
      return await store.herd("object", { by, antibodyId: word.antibodyId });
  }
}

function aboutOf(word: HerdWord): string {
  if ("of" in word) return word.of;
  if ("antibodyId" in word) return word.antibodyId;
  const { type, value } = word.entry;
  return type === "rule" ? antibodyId(word.entry) : `${type} ${value}`;
}

async function readWord(c: Context<IntakeEnv>): Promise<HerdWord | ImmuneError> {
  const malformed = (cause?: unknown): ImmuneError =>
    new ImmuneError("INPUT_MALFORMED", "Cannot read this word for the herd", { cause });
  try {
    const chunks = bindingsOf(c).body ?? c.req.raw.body ?? new Blob().stream();
    const bytes = await readBody(chunks, {
      bytesMax: HERD_WORD_BYTES_MAX,
      announced: undefined,
      drainBytesMax: HERD_WORD_BYTES_MAX,
    });
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return herdWordSchema.safeParse(JSON.parse(text)).data ?? malformed();
  } catch (error) {
    return malformed(error);
  }
}

/** How many words of each agent are heard within a window. */
class Pace {
  readonly #clock: Clock;
  readonly #heard = new Map<string, number>();
  #endsMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  allows(agentId: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#endsMs) {
      this.#endsMs = nowMs + HERD_WORDS_WINDOW_MS;
      this.#heard.clear();
    }
    const heard = this.#heard.get(agentId) ?? 0;
    if (heard >= HERD_WORDS_MAX) return false;
    if (heard === 0 && this.#heard.size >= HERD_AGENTS_MAX) return false;
    this.#heard.set(agentId, heard + 1);
    return true;
  }
}
