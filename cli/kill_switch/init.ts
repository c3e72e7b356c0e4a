import { ImmuneError } from "../../common/config/mod.ts";
import { makeStopKey, stopKeySuccession, withStopKey } from "../../common/keys/mod.ts";
import type { ApiClient } from "../api.ts";
import { requestOf } from "../asked.ts";
import type { HandedOut } from "./hand_out.ts";
import { killSwitch } from "./stop.ts";

/** How a stop key is made. */
export interface InitOptions {
  readonly holders: number;
  readonly threshold: number;
  /**
   * Puts the shares where their holders get them: into files, or onto paper.
   *
   * @param shares Texts, in the order of holders.
   */
  readonly handOut: (shares: readonly string[]) => Promise<HandedOut>;
  /** Shares of the stop key that it follows. */
  readonly former: readonly string[];
  /** For whoever has to approve it. */
  readonly reason?: string | undefined;
}

/** What came of it. */
export interface Initialised {
  readonly publicKey: string;
  /** Where each share lies; empty when they are on paper. */
  readonly files: readonly string[];
  /** The request, where another person has to approve the key first. */
  readonly request: string | undefined;
}

/**
 * Makes a stop key, shares it, hands the shares out, and has the hive publish its public half. The
 * shares are out before the hive hears of it: a stop key that nobody can use is none.
 *
 * @param api The hive.
 * @param options Among how many, and where to.
 * @throws {ImmuneError} `SHARE_INVALID`, `FORBIDDEN` when there is a stop key and its shares are
 * missing, what `handOut` throws, and what the hive answers: the shares are taken back only where
 * it has refused the key for certain.
 */
export async function initKillSwitch(api: ApiClient, options: InitOptions): Promise<Initialised> {
  const { fleet, stopKey } = await killSwitch(api);
  if (stopKey !== null && options.former.length === 0) {
    throw new ImmuneError(
      "FORBIDDEN",
      `Cannot make another stop key: there is one; ${stopKey.threshold} of its shares have to ` +
        "sign the next, name them with --share",
    );
  }
  const { holders, threshold, reason } = options;
  const { facts, shares } = await makeStopKey({ holders, threshold });
  const { publicKey, shareHashes } = facts;
  const signature = stopKey === null ? null : await withStopKey(stopKey, {
    shares: options.former,
    use: (key) => key.sign("stop key successor", stopKeySuccession(fleet, publicKey)),
  });
  const handedOut = await options.handOut(
    shares.map((share, i) =>
      `Sentinel Immune, kill switch of fleet ${fleet}\n` +
      `Share ${i + 1} of ${holders}, ${threshold} are needed. Keep it apart from the others.\n` +
      `${share}\nSHA-256 ${shareHashes[i]}\n`
    ),
  );
  const body = { facts, signature: signature?.toHex() ?? null };
  try {
    const answer = await api.send("put", "/api/v1/kill-switch", {
      body: reason === undefined ? body : { ...body, reason },
    });
    return { publicKey, files: handedOut.files, request: requestOf(answer) };
  } catch (error) {
    if (isRefusal(error)) {
      handedOut.takeBack();
      throw error;
    }
    throw maybeTaken(error, publicKey);
  }
}

/** The hive said no before it did anything. A failure of its own may come behind that. */
function isRefusal(error: unknown): boolean {
  return error instanceof ImmuneError && error.status < 500;
}

function maybeTaken(cause: unknown, publicKey: string): ImmuneError {
  const code = cause instanceof ImmuneError ? cause.code : "HIVE_UNREACHABLE";
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ImmuneError(
    code,
    `Cannot say whether the hive took stop key ${publicKey.slice(0, 16)}: ${why}; keep its ` +
      'shares until "immune kill-switch status" shows which key it has',
    { cause },
  );
}
