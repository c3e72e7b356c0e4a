import { BODY_LAYOUTS, HEADER_BYTES, HEADER_LAYOUT, type Layout } from "./layout.ts";
import * as table from "./table.ts";
import * as values from "./values.ts";

const { KIND_NAMES, KINDS } = table;
const { ACCESSES, ACTS, CHANGES, FLAGS, SOURCES } = values;

const BANNER = "Generated from common/record/table.ts and values.ts. Do not edit.";

const CONSTANTS = {
  RECORD_VERSION: table.RECORD_VERSION,
  RECORD_ALIGNMENT: table.RECORD_ALIGNMENT,
  RECORD_BYTES_MAX: table.RECORD_BYTES_MAX,
  SLOT_BYTES: table.SLOT_BYTES,
  PATH_COMPONENTS_MAX: table.PATH_COMPONENTS_MAX,
  PATH_BYTES_MAX: table.PATH_BYTES_MAX,
  ARGV_BYTES_MAX: table.ARGV_BYTES_MAX,
  DNS_MESSAGE_BYTES_MAX: table.DNS_MESSAGE_BYTES_MAX,
  SOURCE_BULK: values.SOURCE_BULK,
  OPEN_FLAGS_UNKNOWN: values.OPEN_FLAGS_UNKNOWN,
} as const;

/**
 * The record as a C header: one struct a header, slot and body, and an enum a set of numbers.
 *
 * @returns Text of `immune_record.h`.
 */
export function generateC(): string {
  const constants = Object.entries(CONSTANTS).map(([name, value]) =>
    `#define IMMUNE_${name} ${cNumber(value)}`
  );
  const enums = [
    cEnum("flag", Object.entries(FLAGS)),
    cEnum("source", Object.entries(SOURCES)),
    cEnum("access", Object.entries(ACCESSES)),
    cEnum("change_what", Object.entries(CHANGES)),
    cEnum("act_what", Object.entries(ACTS)),
    cEnum("action", Object.entries(values.VERDICT_ACTIONS)),
    cEnum("tier", Object.entries(values.VERDICT_TIERS)),
    cEnum("outcome", Object.entries(values.VERDICT_OUTCOMES)),
    cEnum("kind", KIND_NAMES.map((name) => [name, KINDS[name].id])),
    ...KIND_NAMES.filter((name) => KINDS[name].slots.length > 0).map((name) =>
      cEnum(`${name}_slot`, [
        ...KINDS[name].slots.map((slot, i): [string, number] => [slot.name, i]),
        ["count", KINDS[name].slots.length],
      ])
    ),
  ];
  const structs = [
    cStruct("record_header", HEADER_LAYOUT),
    "struct immune_slot {\n\t__u16 offset;\n\t__u16 length;\n\t__u32 original_length;\n};",
    ...KIND_NAMES.filter((name) => BODY_LAYOUTS[name].length > 0).map((name) =>
      cStruct(`${name}_body`, BODY_LAYOUTS[name])
    ),
  ];
  return [
    "/* SPDX-License-Identifier: MIT */",
    `/* ${BANNER} */`,
    "#ifndef IMMUNE_RECORD_H",
    "#define IMMUNE_RECORD_H",
    "",
    ...constants,
    "",
    ...enums,
    "",
    ...structs,
    "",
    "#endif",
    "",
  ].join("\n");
}

/**
 * The record as AssemblyScript constants: `HEADER_PID`, `EXEC_INODE`, `EXEC_SLOT_IMAGE`, ...
 *
 * @returns Text of `record.ts` for `wasm/assembly`.
 */
export function generateAssemblyScript(): string {
  const lines = [`// ${BANNER}`];
  const constant = (name: string, value: number) =>
    lines.push(`// @ts-ignore: decorator`, `@inline export const ${name}: u32 = ${value};`);
  for (const [name, value] of Object.entries(CONSTANTS)) constant(name, value);
  constant("HEADER_BYTES", HEADER_BYTES);
  for (const place of HEADER_LAYOUT.places) constant(`HEADER_${upper(place.name)}`, place.offset);
  for (const [name, bit] of Object.entries(FLAGS)) constant(`FLAG_${upper(name)}`, bit);
  for (const [name, source] of Object.entries(SOURCES)) constant(`SOURCE_${upper(name)}`, source);
  for (const [name, way] of Object.entries(ACCESSES)) constant(`ACCESS_IS_${upper(name)}`, way);
  for (const [name, what] of Object.entries(CHANGES)) constant(`CHANGE_IS_${upper(name)}`, what);
  for (const [name, what] of Object.entries(ACTS)) constant(`ACT_IS_${upper(name)}`, what);
  for (const name of KIND_NAMES) {
    constant(`KIND_${upper(name)}`, KINDS[name].id);
    constant(`${upper(name)}_BODY_BYTES`, BODY_LAYOUTS[name].length);
    for (const place of BODY_LAYOUTS[name].places) {
      constant(`${upper(name)}_${upper(place.name)}`, place.offset);
    }
    KINDS[name].slots.forEach((slot, i) => constant(`${upper(name)}_SLOT_${upper(slot.name)}`, i));
  }
  return lines.join("\n") + "\n";
}

function cStruct(name: string, layout: Layout): string {
  const members = layout.places.map((place) =>
    place.type === "bytes16" ? `\t__u8 ${place.name}[16];` : `\t__${place.type} ${place.name};`
  );
  const asserts = layout.places.map((place) =>
    `_Static_assert(__builtin_offsetof(struct immune_${name}, ${place.name}) == ${place.offset}, ` +
    `"${place.name}");`
  );
  return [
    `struct immune_${name} {`,
    ...members,
    "};",
    ...asserts,
    `_Static_assert(sizeof(struct immune_${name}) == ${layout.length}, "${name}");`,
  ].join("\n");
}

function cEnum(name: string, members: readonly (readonly [string, number])[]): string {
  const lines = members.map(([member, value]) =>
    `\tIMMUNE_${upper(name)}_${upper(member)} = ${cNumber(value)},`
  );
  return [`enum immune_${name} {`, ...lines, "};"].join("\n");
}

function cNumber(value: number): string {
  return value > 0x7FFFFFFF ? `${value}u` : String(value);
}

function upper(name: string): string {
  return name.toUpperCase();
}
