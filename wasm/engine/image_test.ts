import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { ImmuneError } from "../../common/config/errors.ts";
import { encodeRecord } from "../../common/record/mod.ts";
import {
  IMAGE_HEADER,
  IMAGE_HEADER_BYTES,
  PROGRAM_OPS,
  RULE_ROW,
} from "../../common/sigma/image_layout.ts";
import { compile, fill, scanAll } from "./_engine_test_support.ts";
import { Engine } from "./engine.ts";

const SET = compile(
  {
    category: "process_creation",
    detection: [
      "a: { CommandLine|contains: [curl, wget, 'x y'], Image|endswith: /bash }",
      "b: { User: root }",
      "n: { ParentImage: null }",
      "g: { CommandLine: 'a*b?c*' }",
      "condition: a and not b or 1 of n* and all of g*",
    ],
  },
  {
    category: "file_access",
    detection: ["s: { TargetFilename|startswith: /etc/ }", "f: { Image: '' }", "condition: s or f"],
  },
  {
    category: "network_connection",
    detection: ["s: { DestinationPort: 4444 }", "condition: not s"],
  },
);

const RECORDS = [
  encodeRecord("exec", {
    header: { pid: 5, start_time_ns: 5n, uid: 7 },
    slots: { image: "/bin/bash", argv: "a x\0y wget bxc\0", cwd: "/" },
  }),
  encodeRecord("open", {
    header: { pid: 5, start_time_ns: 5n },
    slots: { path: "/etc/shadow" },
  }),
  encodeRecord("connect", {
    header: { pid: 5, start_time_ns: 5n },
    body: { family: 2, port: 80 },
  }),
];

/** Gives a changed image the hash that it should have, so that the module's own check is met. */
function rehash(image: Uint8Array): Uint8Array {
  image.fill(0, IMAGE_HEADER.hash, IMAGE_HEADER.hash + 32);
  image.set(createHash("sha256").update(image).digest(), IMAGE_HEADER.hash);
  return image;
}

Deno.test("publish() takes the image of the compiler, and its rules fire", async () => {
  const engine = await Engine.create();
  engine.publish(SET.image);
  assertEquals(scanAll(engine, RECORDS), [[0], [1], [2]]);
});

Deno.test("publish() refuses or bounds every image with words changed", async () => {
  const engine = await Engine.create();
  const length = fill(engine, RECORDS).at(-1) ?? 0;
  const words = SET.image.length / 4;
  const word = fc.oneof(
    fc.nat(words - 1),
    fc.integer({ min: IMAGE_HEADER.fields / 4, max: IMAGE_HEADER_BYTES / 4 + 60 }),
  );
  const value = fc.oneof(
    fc.nat(300),
    fc.nat(SET.image.length),
    fc.constantFrom(0xFFFF_FFFF, 0x8000_0000, 0x7FFF_FFFF, 0x0700_1005),
  );
  let refused = 0;
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(word, value), { minLength: 1, maxLength: 3 }), (changes) => {
      const image = SET.image.slice();
      const view = new DataView(image.buffer);
      for (const [index, number] of changes) view.setUint32(index * 4, number, true);
      const before = engine.batch.slice(0, length);
      try {
        engine.publish(rehash(image));
        accepted++;
      } catch (error) {
        assert(error instanceof ImmuneError && error.code === "IMAGE_INVALID");
        refused++;
      }
      assert(engine.scan(length).every(({ rule }) => rule < 16_384));
      assertEquals(engine.batch.slice(0, length), before);
    }),
    { numRuns: 3000 },
  );
  assert(refused > 100 && accepted > 100, `${refused} refused, ${accepted} accepted`);
});

Deno.test("publish() refuses each header word that leads out of the image", async () => {
  const engine = await Engine.create();
  const { fields, atoms, rules, words, texts } = IMAGE_HEADER;
  for (const place of [fields, atoms, rules, words, texts]) {
    for (const offset of [SET.image.length + 8, 0xFFFF_FFF8, 0, 97]) {
      const image = SET.image.slice();
      new DataView(image.buffer).setUint32(place, offset, true);
      assertThrows(() => engine.publish(rehash(image)), ImmuneError, "section");
    }
  }
  const { rule_count, atom_count, field_count } = IMAGE_HEADER;
  for (const place of [rule_count, atom_count, field_count]) {
    const image = SET.image.slice();
    new DataView(image.buffer).setUint32(place, 0xFFFF_FFFF, true);
    assertThrows(() => engine.publish(rehash(image)), ImmuneError, "more fields, atoms or rules");
  }
});

Deno.test("publish() names magic, version and length", async () => {
  const engine = await Engine.create();
  const changed = (place: number, value: number): Uint8Array => {
    const image = SET.image.slice();
    image[place] = value;
    return rehash(image);
  };
  assertThrows(() => engine.publish(changed(IMAGE_HEADER.magic, 0)), ImmuneError, "magic");
  assertThrows(() => engine.publish(changed(IMAGE_HEADER.version, 9)), ImmuneError, "version");
  assertThrows(() => engine.publish(changed(IMAGE_HEADER.length, 1)), ImmuneError, "length");
  assertEquals(engine.stats().images_refused, 3);
});

Deno.test("scan() survives any bytes in the batch", async () => {
  const engine = await Engine.create({ processes: 4 });
  engine.publish(SET.image);
  const records = [...RECORDS, ...RECORDS];
  const offsets = fill(engine, records);
  const length = offsets.at(-1) ?? 0;
  const whole = engine.batch.slice(0, length);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(length - 1), fc.nat(255)), { maxLength: 8 }),
      fc.nat(length),
      (changes, end) => {
        engine.batch.set(whole);
        for (const [at, byte] of changes) engine.batch[at] = byte;
        const before = engine.stats();
        const hits = engine.scan(end);
        assert(hits.every(({ offset }) => offset < end));
        engine.mask(end);
        const after = engine.stats();
        assert(after.records - before.records <= records.length * 2);
        assert(after.bytes_malformed - before.bytes_malformed <= end);
      },
    ),
    { numRuns: 3000 },
  );
});

Deno.test("publish() refuses a program that would leave its stack", async () => {
  const engine = await Engine.create();
  const { image } = compile({
    category: "process_creation",
    detection: ["a: { Image: x }", "b: { User: y }", "condition: a and not b"],
  });
  const view = new DataView(image.buffer);
  const row = view.getUint32(IMAGE_HEADER.rules, true);
  const words = view.getUint32(IMAGE_HEADER.words, true);
  const first = words + view.getUint32(row + RULE_ROW.program, true) * 4;
  const last = first + (view.getUint32(row + RULE_ROW.program_words, true) - 1) * 4;
  const { atom, any, and, not, at_least, constant, unless, when } = PROGRAM_OPS;
  const wrong: readonly (readonly [number, number, number])[] = [
    [first, and, 0],
    [first, not, 0],
    [first, at_least, 1],
    [first, 0, 0],
    [first, when + 1, 0],
    [first, unless, 1],
    [first, atom, 2],
    [first, any, 0xFF_FFFF],
    [last, constant, 1],
    [last, unless, 0],
    [first + 4, unless, 4],
    [first + 4, when, 0xFF_FFFF],
    // Behind the atom that `not` turns around: there are two bits, not one.
    [first + 4, unless, 1],
  ];
  for (const [place, op, operand] of wrong) {
    const bad = image.slice();
    new DataView(bad.buffer).setUint32(place, (op << 24 | operand) >>> 0, true);
    assertThrows(() => engine.publish(rehash(bad)), ImmuneError, "program cannot run (rule 0)");
  }
  engine.publish(image);
});
