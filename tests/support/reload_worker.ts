// An engine that scans without pause and takes rule sets over as they come. Each hit is compared with
// what its rule set finds when nothing is reloaded.

import { Engine } from "../../wasm/engine/mod.ts";
import type { ReloadReport, ReloadTask } from "./reload.ts";

const OWN = self as unknown as {
  onmessage: ((event: MessageEvent<ReloadTask>) => void) | null;
  postMessage(report: ReloadReport): void;
};

OWN.onmessage = ({ data }) => void scanAndReload(data).then((report) => OWN.postMessage(report));

/** Hits of the batch under each rule set, alone. */
async function expectedHits({ images, batch }: ReloadTask): Promise<readonly string[]> {
  const found: string[] = [];
  for (const image of images) {
    const engine = await Engine.create();
    engine.publish(image);
    engine.batch.set(batch);
    found.push(hitsOf(engine, batch.length));
  }
  return found;
}

function hitsOf(engine: Engine, length: number): string {
  return engine.scan(length).map(({ offset, rule }) => `${offset}:${rule}`).join(" ");
}

async function scanAndReload(task: ReloadTask): Promise<ReloadReport> {
  const { images, batch, reloads } = task;
  const expected = await expectedHits(task);
  const engine = await Engine.create();
  let active = 0;
  engine.publish(images[0]);
  engine.batch.set(batch);
  const pausesMs: number[] = [];
  let batches = 0;
  let torn = 0;
  for (let reload = 1; reload <= reloads; reload++) {
    const next = reload % images.length;
    const staging = engine.stage(images[next] ?? images[0]);
    let pauseMs = 0;
    for (let isPublished = false; !isPublished;) {
      const before = engine.generation;
      const found = engine.scan(batch.length);
      batches++;
      const isRight = found.map(({ offset, rule }) => `${offset}:${rule}`).join(" ") ===
          expected[active] && found.every(({ generation }) => generation === before);
      if (!isRight) torn++;
      const startedAt = performance.now();
      if (staging.step()) {
        engine.publishStaged(staging);
        isPublished = true;
      }
      pauseMs = Math.max(pauseMs, performance.now() - startedAt);
    }
    active = next;
    pausesMs.push(pauseMs);
  }
  const { records, records_malformed: malformed } = engine.stats();
  return { batches, torn, records, malformed, pausesMs };
}
