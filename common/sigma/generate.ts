import { STANDARD_FIELDS } from "./fields.ts";
import * as bytes from "./byte_set.ts";
import * as image from "./image_layout.ts";
import * as literals from "./literal_layout.ts";
import * as regex from "./regex/layout.ts";

/**
 * The rule image's layout as AssemblyScript constants: `IMAGE_HEADER_MAGIC`, `ATOM_ROW_OP`,
 * `ATOM_OPS_EQUALS`, `CLASSES_FILE_EVENT`, `STANDARD_FIELDS_IMAGE`, ...
 *
 * @returns Text of `image.ts` for `wasm/assembly`.
 */
export function generateAssemblyScript(): string {
  const lines = [
    "// Generated from common/sigma/image_layout.ts, regex/layout.ts and fields.ts. Do not edit.",
  ];
  const constant = (name: string, value: number) =>
    lines.push(`// @ts-ignore: decorator`, `@inline export const ${name}: u32 = ${value};`);
  for (const [name, value] of Object.entries({ ...image, ...literals, ...bytes, ...regex })) {
    if (typeof value === "number") constant(name, value);
    else for (const [key, place] of Object.entries(value)) constant(`${name}_${upper(key)}`, place);
  }
  for (const [name, field] of Object.entries(STANDARD_FIELDS)) {
    constant(`STANDARD_FIELDS_${upper(name)}`, field.id);
  }
  return lines.join("\n") + "\n";
}

function upper(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toUpperCase();
}
