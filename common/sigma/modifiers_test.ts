import { assertEquals, assertThrows } from "@std/assert";
import { MODIFIER_NAMES, ModifierError, parseChain } from "./modifiers.ts";

function reason(chain: string): string {
  const names = chain === "" ? [] : chain.split("|");
  return assertThrows(() => parseChain(names), ModifierError).message;
}

Deno.test("parseChain() reads no modifiers as equality of text", () => {
  assertEquals(parseChain([]), {
    test: { kind: "text", steps: [], likeness: "equals", cased: false },
    all: false,
    negated: false,
  });
});

Deno.test("parseChain() keeps the order of steps and takes list modifiers anywhere", () => {
  assertEquals(parseChain(["all", "windash", "wide", "base64offset", "contains", "cased"]), {
    test: {
      kind: "text",
      steps: ["windash", "utf16le", "base64offset"],
      likeness: "contains",
      cased: true,
    },
    all: true,
    negated: false,
  });
  assertEquals(parseChain(["contains", "windash"]).test, {
    kind: "text",
    steps: ["windash"],
    likeness: "contains",
    cased: false,
  });
  assertEquals(parseChain(["neq", "hour", "gt"]), {
    test: { kind: "number", comparison: "gt", part: "hour" },
    all: false,
    negated: true,
  });
});

Deno.test("parseChain() reads short and long names of flags as the same", () => {
  assertEquals(
    parseChain(["re", "i", "m", "s"]),
    parseChain([
      "re",
      "ignorecase",
      "multiline",
      "dotall",
    ]),
  );
});

Deno.test("parseChain() names what does not go together", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["contain", `Unknown modifier "contain"`],
    ["Contains", `Unknown modifier "Contains"`],
    ["contains|contains", `"contains" stands twice`],
    ["contains|startswith", `"contains" and "startswith" exclude each other`],
    ["re|cidr", `"re" and "cidr" exclude each other`],
    ["lt|gt", `"lt" and "gt" exclude each other`],
    ["hour|day", `"hour" and "day" exclude each other`],
    ["i", `"i" needs "re" before it`],
    ["cidr|i", `"i" does not go with "cidr"`],
    ["re|cased", `"cased" does not go with "re"`],
    ["re|base64", `"base64" does not go with "re"`],
    ["exists|all", `"all" does not go with "exists"`],
    ["gt|contains", `"contains" does not go with "gt"`],
    ["contains|re", `"re" comes first; put "contains" behind it`],
    ["startswith|fieldref", `"fieldref" comes first`],
    ["contains|base64", `"base64" must stand before "contains"`],
    ["base64|windash", `"windash" must stand before "base64"`],
    ["wide|expand", `"expand" must stand before "wide"`],
  ];
  for (const [chain, part] of cases) {
    assertEquals(reason(chain).includes(part), true, `${chain}: ${reason(chain)}`);
  }
});

Deno.test("parseChain() reads or names every pair of modifiers, either order", () => {
  let read = 0;
  for (const a of MODIFIER_NAMES) {
    for (const b of MODIFIER_NAMES) {
      try {
        parseChain([a, b]);
        read++;
      } catch (error) {
        assertEquals(error instanceof ModifierError, true, `${a}|${b}: ${error}`);
      }
    }
  }
  assertEquals(read > 100, true, `${read} pairs`);
});
