import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../config/errors.ts";
import { chunksOf, feedOf } from "./_feed_test_support.ts";
import { NOW_MS } from "./_indicators_test_support.ts";
import { JSON_BYTES_MAX } from "./limits.ts";
import { readFeed } from "./read.ts";

const OPTIONS = { nowMs: NOW_MS, name: "file" };

async function refusal(
  chunks: AsyncIterable<Uint8Array>,
  format?: "stix" | "misp",
): Promise<string> {
  const error = await assertRejects(() => readFeed(chunks, { ...OPTIONS, format }), ImmuneError);
  assertEquals(error.code, "INPUT_MALFORMED");
  return error.message;
}

function bytesOf(text: string): AsyncGenerator<Uint8Array> {
  return chunksOf(new TextEncoder().encode(text), 64 * 1024);
}

/** So many bytes of one character behind a start, never held whole. */
async function* endless(
  start: string,
  { fill, bytes }: { fill: string; bytes: number },
): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(start);
  const chunk = new TextEncoder().encode(fill.repeat(64 * 1024 / fill.length));
  for (let sent = 0; sent < bytes; sent += chunk.length) yield await Promise.resolve(chunk);
}

Deno.test("readFeed() refuses JSON that is none, too deep, too long, of too many values", async () => {
  const wanted: readonly [AsyncGenerator<Uint8Array>, string][] = [
    [bytesOf('{"objects": ['), "it is no JSON"],
    [bytesOf("{}"), 'no MISP "Event"'],
    [bytesOf(`{"objects": ${"[".repeat(100_000)}`), "nested deeper than 64"],
    [bytesOf(`{"a":`.repeat(100_000)), "nested deeper than 64"],
    [endless('{"objects": [', { fill: "0,", bytes: 20_000_000 }), "over 4000000 values"],
    [endless('{"objects": "', { fill: "x", bytes: JSON_BYTES_MAX + 100_000 }), "bytes"],
  ];
  for (const [chunks, why] of wanted) assert((await refusal(chunks)).includes(why), why);
});

Deno.test("readFeed() refuses a document of another shape than it is told to be", async () => {
  assert((await refusal(bytesOf("[1]"), "misp")).includes("Event"));
  assert((await refusal(bytesOf('{"Event": {}}'), "stix")).includes("objects"));
});

Deno.test("readFeed() takes brackets and braces within texts for what they are", async () => {
  const name = '[{"\\'.repeat(500);
  const feed = await feedOf({
    type: "bundle",
    objects: [{ type: "indicator", id: "1", name, pattern: "[file:name = 'a']" }],
  });
  assertEquals(feed.indicators.length, 1);
});

Deno.test("readFeed() names a value of 10 MB, in little of a message", async () => {
  const long = "x".repeat(10_000_000);
  const stix = await feedOf({
    type: "bundle",
    objects: [
      { type: "indicator", id: "1", pattern: `[file:name = '${long}']` },
      { type: "indicator", id: long, name: long, labels: [long], pattern: "[file:name = 'a']" },
      { type: long, id: "3" },
    ],
  });
  const misp = await feedOf({
    Event: { info: long, Attribute: [{ type: "filename", value: long, to_ids: true, uuid: "1" }] },
  });
  const csv = await feedOf(`type,value\nfilename,${long}\n`);
  assertEquals([stix.problemCount, misp.problemCount, csv.problemCount], [2, 1, 1]);
  for (const { problems, skipped } of [stix, misp, csv]) {
    assert(JSON.stringify([problems, ...skipped]).length < 1000);
  }
});

Deno.test("readFeed() names the first thousand problems of a feed, and counts all", async () => {
  const feed = await feedOf("nothing\n".repeat(5000));
  assertEquals([feed.problems.length, feed.problemCount], [1000, 5000]);
});

Deno.test("readFeed() reads 200,000 rows, one of them wrong, in one pass", async () => {
  const rows = Array.from(
    { length: 200_000 },
    (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
  );
  rows[777] = "10.0.0.300";
  const feed = await feedOf(rows.join("\n"));
  assertEquals([feed.indicators.length, feed.problemCount], [199_999, 1]);
  assertEquals(feed.problems[0]?.place, "line 778");
});

Deno.test("readFeed() reads any JSON value as a feed, or refuses it by ImmuneError", async () => {
  const inner = fc.jsonValue({ maxDepth: 4 });
  const document = fc.oneof(
    inner,
    fc.record({ type: fc.constant("bundle"), objects: fc.array(inner) }),
    fc.record({
      objects: fc.array(fc.record({ type: fc.constant("indicator"), pattern: inner, id: inner })),
    }),
    fc.record({ Event: fc.record({ Attribute: inner, Object: inner, Orgc: inner, Tag: inner }) }),
    fc.record({
      Event: fc.record({
        Attribute: fc.array(fc.record({ type: inner, value: inner, to_ids: fc.constant(true) })),
      }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(document, async (value) => {
      try {
        await feedOf(JSON.stringify(value));
      } catch (error) {
        assert(error instanceof ImmuneError && error.code === "INPUT_MALFORMED", String(error));
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("readFeed() reads any bytes as a feed, or refuses them by ImmuneError", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      for (const format of [undefined, "csv", "stix", "misp"] as const) {
        try {
          await readFeed(chunksOf(bytes, 7), { ...OPTIONS, format });
        } catch (error) {
          assert(error instanceof ImmuneError && error.code === "INPUT_MALFORMED", String(error));
        }
      }
    }),
    { numRuns: 300 },
  );
});
