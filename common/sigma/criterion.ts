import { formatValue, type Pattern } from "./value.ts";

/** Name that stands for all values of an event, one a line: what a keyword search looks at. */
export const KEYWORDS_FIELD = "";

/** How a number compares with the wanted one. */
export type Comparison = "eq" | "lt" | "lte" | "gt" | "gte";

/** Part of a point in time, in UTC; `week` is that of ISO 8601. */
export type TimePart = "minute" | "hour" | "day" | "week" | "month" | "year";

/** How the value of one field is compared with that of another. */
export type Likeness = "equals" | "contains" | "startswith" | "endswith";

/** What a value must be like. All but `absent` need the field to be there. */
export type Criterion =
  | { readonly type: "absent" }
  | { readonly type: "pattern"; readonly pattern: Pattern; readonly cased: boolean }
  | {
    /** RE2 syntax, found anywhere in the value. */
    readonly type: "regex";
    readonly source: string;
    readonly ignoreCase: boolean;
    /** `^` and `$` match at line ends too. */
    readonly multiline: boolean;
    /** `.` matches a line end too. */
    readonly dotAll: boolean;
  }
  | {
    readonly type: "cidr";
    /** 4 or 16 bytes; the bits behind the prefix are 0. */
    readonly address: Uint8Array;
    /** Bits, 0 to 32 or 0 to 128. */
    readonly prefix: number;
  }
  | {
    readonly type: "number";
    readonly comparison: Comparison;
    readonly number: number;
    /** The part of the value, read as a point in time, that is compared; absent: the value. */
    readonly part?: TimePart;
  }
  | {
    readonly type: "fieldref";
    /** Name of the other field; it must be there too. */
    readonly other: string;
    readonly likeness: Likeness;
    readonly cased: boolean;
  };

/**
 * Names a criterion in a message.
 *
 * @param criterion What a value must be like.
 * @returns Words for people, values in quotes.
 */
export function describeCriterion(criterion: Criterion): string {
  switch (criterion.type) {
    case "absent":
      return "absent";
    case "pattern":
      return `"${formatValue(criterion.pattern)}"`;
    case "regex":
      return `re "${criterion.source}"`;
    case "cidr":
      return `cidr of ${criterion.prefix} bits`;
    case "number":
      return `${criterion.part ?? ""} ${criterion.comparison} ${criterion.number}`.trim();
    case "fieldref":
      return `${criterion.likeness} field "${criterion.other}"`;
  }
}
