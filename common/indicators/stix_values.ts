import type { TypedValue } from "./type_name.ts";

/** One comparison of a pattern. */
export interface Comparison {
  readonly kind: "comparison";
  /** As `file:hashes.'SHA-256'`. */
  readonly path: string;
  /** As `=`, `IN`, `NOT LIKE`. */
  readonly operator: string;
  readonly values: readonly string[];
}

/** A part of a pattern. */
export type PatternNode =
  | Comparison
  | { readonly kind: "or" | "and"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "other"; readonly why: string };

/** What single values fulfil a pattern. */
export interface Alternatives {
  readonly values: readonly TypedValue[];
  /** Parts that no single value tells, each with why. */
  readonly left: readonly string[];
}

/** Types of object paths, without quotes and in lower case. */
const PATHS: Readonly<Record<string, TypedValue["type"] | "file">> = {
  "file:hashes.md5": "md5",
  "file:hashes.sha-1": "sha1",
  "file:hashes.sha1": "sha1",
  "file:hashes.sha-256": "sha256",
  "file:hashes.sha256": "sha256",
  "file:name": "file",
  "file:path": "path",
  "ipv4-addr:value": "address",
  "ipv6-addr:value": "address",
  "network-traffic:dst_ref.value": "address",
  "network-traffic:src_ref.value": "address",
  "domain-name:value": "domain",
  "url:value": "url",
};
const FOLDER_PATH = "file:parent_directory_ref.path";

/**
 * The values of which each alone fulfils a pattern.
 *
 * @param node The pattern.
 */
export function alternativesOf(node: PatternNode): Alternatives {
  if (node.kind === "other") return { values: [], left: [node.why] };
  if (node.kind === "comparison") return comparisonValues(node);
  if (node.kind === "and") return allOf(node.parts);
  const parts = node.parts.map(alternativesOf);
  return {
    values: parts.flatMap(({ values }) => values),
    left: parts.flatMap(({ left }) => left),
  };
}

/** A hash says which file it is: what else is asked of it holds then. A folder and a name are a path. */
function allOf(parts: readonly PatternNode[]): Alternatives {
  const comparisons = parts.filter((part) => part.kind === "comparison");
  const hashes = comparisons.filter(({ path }) => plain(path).startsWith("file:hashes."))
    .map(comparisonValues).flatMap(({ values }) => values);
  if (hashes.length > 0) return { values: hashes, left: [] };
  const find = (path: string): readonly string[] =>
    comparisons.find((each) => plain(each.path) === path && each.operator === "=")?.values ?? [];
  const [folder] = find(FOLDER_PATH);
  const [name] = find("file:name");
  if (parts.length === 2 && folder !== undefined && name !== undefined) {
    return { values: [{ type: "path", value: `${folder}/${name}` }], left: [] };
  }
  const asked = comparisons.map(({ path }) => path).join(" AND ");
  return { values: [], left: [`${asked.slice(0, 200)} asks for more than one value tells`] };
}

function comparisonValues({ path, operator, values }: Comparison): Alternatives {
  const name = plain(path);
  const type = Object.hasOwn(PATHS, name) ? PATHS[name] : undefined;
  if (type === undefined) return left(`${path.slice(0, 80)} is no value that is listed`);
  const isWhole = operator === "=" || operator === "==" || operator === "IN" ||
    (operator === "ISSUBSET" && type === "address");
  if (!isWhole) return left(`${path.slice(0, 80)} ${operator.slice(0, 20)} names no single value`);
  return {
    values: values.map((value) => ({
      type: type !== "file" ? type : value.includes("/") ? "path" : "name",
      value,
    })),
    left: [],
  };
}

function plain(path: string): string {
  return path.replaceAll("'", "").toLowerCase();
}

function left(why: string): Alternatives {
  return { values: [], left: [why] };
}
