import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../config/errors.ts";
import { buildAutomaton, type Literal } from "./automaton.ts";
import { AUTOMATON, AUTOMATON_OUTPUT_BIT } from "./image_layout.ts";

const ENCODER = new TextEncoder();

/** Every (atom, end) that the automaton finds. */
function find(automaton: Uint8Array, text: Uint8Array): string[] {
  const view = new DataView(automaton.buffer, automaton.byteOffset, automaton.byteLength);
  const classes = view.getUint32(AUTOMATON.classes, true);
  const transitions = view.getUint32(AUTOMATON.transitions, true);
  const starts = view.getUint32(AUTOMATON.output_starts, true);
  const outputs = view.getUint32(AUTOMATON.outputs, true);
  const found: string[] = [];
  let state = 0;
  text.forEach((byte, i) => {
    const of = automaton[AUTOMATON.class_of + byte] ?? 0;
    const next = view.getUint32(transitions + (state * classes + of) * 4, true);
    state = next & ~AUTOMATON_OUTPUT_BIT;
    const first = view.getUint32(starts + state * 4, true);
    const end = view.getUint32(starts + (state + 1) * 4, true);
    assertEquals(next >= AUTOMATON_OUTPUT_BIT, end > first, "bit 31");
    for (let j = first; j < end; j++) {
      found.push(`${view.getUint32(outputs + j * 4, true)} ends at ${i + 1}`);
    }
  });
  return found.sort();
}

/** The same, place by place. */
function findNaively(literals: readonly Literal[], text: Uint8Array): string[] {
  const folded = text.map((byte) => byte >= 0x41 && byte <= 0x5A ? byte + 0x20 : byte);
  const found: string[] = [];
  for (const { text: literal, atom } of literals) {
    for (let at = 0; at + literal.length <= folded.length; at++) {
      if (literal.every((byte, i) => folded[at + i] === byte)) {
        found.push(`${atom} ends at ${at + literal.length}`);
      }
    }
  }
  return found.sort();
}

Deno.test("buildAutomaton() finds overlapping literals and suffixes", () => {
  const literals = ["he", "she", "his", "hers", "s", "she"].map((text, atom) => ({
    text: ENCODER.encode(text),
    atom,
  }));
  assertEquals(find(buildAutomaton(literals), ENCODER.encode("uSHErs")), [
    "0 ends at 4",
    "1 ends at 4",
    "3 ends at 6",
    "4 ends at 2",
    "4 ends at 6",
    "5 ends at 4",
  ]);
});

Deno.test("buildAutomaton() finds what a naive search finds, any literals and bytes", () => {
  const literal = fc.uint8Array({ minLength: 1, maxLength: 5, max: 255 }).map((bytes) =>
    bytes.map((byte) => byte % 4 === 0 ? byte : 0x61 + byte % 4)
  ).map((bytes) => bytes.map((byte) => byte >= 0x41 && byte <= 0x5A ? byte + 0x20 : byte));
  const text = fc.uint8Array({ maxLength: 60 }).map((bytes) =>
    bytes.map((byte) => byte % 4 === 0 ? byte : (byte % 8 < 4 ? 0x61 : 0x41) + byte % 4)
  );
  fc.assert(
    fc.property(fc.array(literal, { minLength: 1, maxLength: 12 }), text, (texts, bytes) => {
      const literals = texts.map((text, atom) => ({ text, atom: atom * 7 }));
      const automaton = buildAutomaton(literals);
      assertEquals(automaton.length % 8, 0);
      assertEquals(find(automaton, bytes), findNaively(literals, bytes));
    }),
  );
});

Deno.test("buildAutomaton() refuses a table that no image could hold", () => {
  const literals = Array.from({ length: 300 }, (_, atom) => ({
    text: Uint8Array.from({ length: 1000 }, (_, i) => 0x80 + (i * 7 + atom * 31 + i * atom) % 120),
    atom,
  }));
  const error = assertThrows(() => buildAutomaton(literals), ImmuneError, "exceed");
  assertEquals(error.code, "RULE_SET_TOO_LARGE");
});
