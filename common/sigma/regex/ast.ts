/** Code points from the first to the last, both included. */
export type CodeRange = readonly [first: number, last: number];

/** What an assertion looks at; none of them takes a character. */
export type Assertion =
  | "text_start"
  | "text_end"
  | "line_start"
  | "line_end"
  | "word_boundary"
  | "not_word_boundary";

/** A part of a regular expression. `at`: its offset in the pattern, in UTF-16 units. */
export type RegexNode =
  | { readonly type: "empty"; readonly at: number }
  | {
    readonly type: "set";
    readonly at: number;
    /** Sorted, apart from each other. */
    readonly ranges: readonly CodeRange[];
    /** It came from `.` or a negated class: bytes beyond ASCII are taken one by one. */
    readonly open: boolean;
  }
  | { readonly type: "group"; readonly at: number; readonly of: RegexNode }
  | { readonly type: "concat"; readonly at: number; readonly of: readonly RegexNode[] }
  | { readonly type: "alternate"; readonly at: number; readonly of: readonly RegexNode[] }
  | {
    readonly type: "repeat";
    readonly at: number;
    readonly of: RegexNode;
    readonly min: number;
    /** `Infinity` = no end. */
    readonly max: number;
  }
  | { readonly type: "assert"; readonly at: number; readonly assertion: Assertion };

/** How a pattern is read. */
export interface RegexFlags {
  /** Letters in either case. Default false. */
  readonly ignoreCase?: boolean;
  /** `^` and `$` match at line ends too. Default false. */
  readonly multiline?: boolean;
  /** `.` matches a line end too. Default false. */
  readonly dotAll?: boolean;
}
