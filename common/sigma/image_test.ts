import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../config/errors.ts";
import { ImageReader } from "./_image_test_support.ts";
import { verifyImage } from "./image.ts";
import { CLASSES, IMAGE_HEADER, IMAGE_MAGIC, IMAGE_VERSION } from "./image_layout.ts";
import { compileRules, type RuleSet } from "./rule_set.ts";

function compile(title = "t"): RuleSet {
  const text = `
title: ${title}
id: ${title}
logsource: { category: process_creation, product: linux }
detection:
  a: { Image|endswith: [/sh, /bash], Extra: '' }
  b: { CommandLine|contains: x }
  c: { CommandLine: 'a*b*c' }
  condition: (a and b) or c
`;
  return compileRules([{ path: "t.yml", text }]);
}

Deno.test("encodeImage() writes a header that names aligned sections within the image", () => {
  const { image, fields } = compile();
  const view = new DataView(image.buffer);
  const reader = new ImageReader(image, fields);
  assertEquals(view.getUint32(IMAGE_HEADER.magic, true), IMAGE_MAGIC);
  assertEquals(view.getUint16(IMAGE_HEADER.version, true), IMAGE_VERSION);
  assertEquals(reader.header("length"), image.length);
  assertEquals(image.length % 8, 0);
  assertEquals(reader.header("rule_count"), 1);
  assertEquals(reader.header("field_count"), 3);
  assertEquals(reader.header("atom_count"), 5);
  assertEquals(reader.header("class_mask"), (CLASSES.process_creation | CLASSES.flat) >>> 0);
  for (const section of ["fields", "atoms", "rules", "words", "texts"] as const) {
    assertEquals(reader.header(section) % 8, 0, section);
    assert(reader.header(section) < image.length, section);
  }
});

Deno.test("encodeImage() gives the same bytes for the same rules, others for another id", () => {
  assertEquals(compile().hash, compile().hash);
  assert(compile().hash !== compile("u").hash);
});

Deno.test("verifyImage() accepts what was encoded and gives its hash", () => {
  const { image, hash } = compile();
  assertEquals(verifyImage(image), hash);
  assertEquals(hash.length, 64);
});

Deno.test("verifyImage() refuses an image with any byte changed or any tail lost", () => {
  const { image } = compile();
  fc.assert(
    fc.property(fc.nat(image.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const broken = image.slice();
      broken[at] = (broken[at] ?? 0) ^ change;
      const error = assertThrows(() => verifyImage(broken), ImmuneError);
      assertEquals(error.code, "IMAGE_INVALID");
      assertThrows(() => verifyImage(image.subarray(0, at)), ImmuneError);
    }),
  );
});
