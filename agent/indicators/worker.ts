import { readIndicators } from "../../common/indicators/store.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { answerApart } from "../apart/answer.ts";
import { buildIndicators } from "./build.ts";
import type { LoadedIndicators } from "./messages.ts";

/** The Worker's side: takes the folder, and answers once. */
export function serveIndicators(): void {
  answerApart(async (folder: string): Promise<LoadedIndicators | undefined> => {
    const image = readIndicators(folder);
    if (image === undefined) return undefined;
    return buildIndicators(image, { engine: await Engine.create(), nowMs: Date.now() });
  });
}
