import { ImmuneError } from "../../common/config/mod.ts";
import { makeStopKey, stopKeySuccession, withStopKey } from "../../common/keys/mod.ts";
import type { ApiClient } from "../api.ts";
import { requestOf } from "../asked.ts";
import { killSwitch } from "./stop.ts";

/** How a stop key is made. */
export interface InitOptions {
  readonly holders: number;
  readonly threshold: number;
  /** Folder for the shares and for what is published; absent: they are only given back. */
  readonly out?: string | undefined;
  /** Shares of the stop key that it follows. */
  readonly former: readonly string[];
  /** For whoever has to approve it. */
  readonly reason?: string | undefined;
}

/** What came of it. */
export interface Initialised {
  readonly publicKey: string;
  /** Texts for the holders, in their order. */
  readonly shares: readonly string[];
  /** Where each lies; empty without a folder. */
  readonly files: readonly string[];
  /** The request, where another person has to approve the key first. */
  readonly request: string | undefined;
}

/**
 * Makes a stop key, shares it, writes the shares, and has the hive publish its public half. The
 * shares are on the disk before the hive hears of it: a stop key that nobody can use is none.
 *
 * @param api The hive.
 * @param options Among how many, and where to.
 * @throws {ImmuneError} `SHARE_INVALID`, `STATE_UNUSABLE` when a share cannot be written or is
 * there already, `FORBIDDEN` when there is a stop key and its shares are missing.
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
  const { holders, threshold } = options;
  const { facts, shares } = await makeStopKey({ holders, threshold });
  const signature = stopKey === null ? null : await withStopKey(stopKey, {
    shares: options.former,
    use: (key) => key.sign("stop key successor", stopKeySuccession(fleet, facts.publicKey)),
  });
  const texts = shares.map((share, i) =>
    `Sentinel Immune, kill switch of fleet ${fleet}\n` +
    `Share ${i + 1} of ${holders}, ${threshold} are needed. Keep it apart from the others.\n` +
    `${share}\nSHA-256 ${facts.shareHashes[i]}\n`
  );
  const files = options.out === undefined ? [] : writeShares(options.out, texts);
  let request: string | undefined;
  try {
    const { reason } = options;
    const body = { facts, signature: signature?.toHex() ?? null };
    const answer = await api.send("put", "/api/v1/kill-switch", {
      body: reason === undefined ? body : { ...body, reason },
    });
    request = requestOf(answer);
  } catch (error) {
    // A hive that did not answer may have taken it: its shares must not be lost.
    const isRefused = error instanceof ImmuneError && error.code !== "HIVE_UNREACHABLE";
    if (isRefused) { for (const file of files) Deno.removeSync(file); }
    throw error;
  }
  return { publicKey: facts.publicKey, shares: texts, files, request };
}

function writeShares(folder: string, texts: readonly string[]): string[] {
  const files: string[] = [];
  try {
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const [i, text] of texts.entries()) {
      const path = `${folder}/share-${i + 1}.txt`;
      using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
      files.push(path);
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
      file.syncDataSync();
    }
    return files;
  } catch (cause) {
    for (const file of files) Deno.removeSync(file);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ImmuneError("STATE_UNUSABLE", `Cannot write shares to "${folder}": ${why}`, {
      cause,
    });
  }
}
