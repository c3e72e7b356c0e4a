import type { KindName } from "../record/table.ts";
import { auditClassOf } from "./audit.ts";
import { atomTestOf } from "./atom.ts";
import { describeCriterion } from "./criterion.ts";
import { type FieldTest, testsOf } from "./expression.ts";
import { CLASSES } from "./image_layout.ts";
import { classMaskOf } from "./log_source.ts";
import { type NetworkInterest, networkInterestOf } from "./network_filter.ts";
import { needsEveryOpen, type OpenFilter, openFilterOf } from "./open_filter.ts";
import { requirementOf } from "./requirement.ts";
import { wantsPublicOnly } from "./public_peers.ts";
import { type RoleExpression, type RoleMarks, roleMarksOf } from "./role_marks.ts";
import type { RuleLogic } from "./rule.ts";
import { foldCase, formatValue } from "./value.ts";
import { WATCHES_MAX } from "../record/bounds.ts";

/** An object of which something is wanted: one file, or all below a directory. */
export interface Watch {
  readonly type: "file" | "tree";
  /** Absolute path; that of a tree has no slash at its end. */
  readonly path: string;
  /** What is wanted of it; default its opens. */
  readonly wants?: "changes" | "both";
}

/** A rule that watched opens alone do not serve in full. */
export interface WideNeed {
  /** Index of the rule. */
  readonly rule: number;
  /**
   * `path`: no watch covers the paths that it asks for, so it is blind without the wide stream.
   * `change`: the same, and the wide stream does not tell what it asks for either.
   * `calls`: what it asks for is told by a hook on system calls, which is attached for it.
   */
  readonly why: "path" | "change" | "calls";
  /** One line for people, with the cost. */
  readonly reason: string;
}

/** What a rule set needs from the kernel; the rest need not be sent. */
export interface Interest {
  /** Bits of `CLASSES` that any rule wants, without `flat`. */
  readonly classMask: number;
  /** Kinds that are needed, in the order of the record table. Process kinds always are. */
  readonly kinds: readonly KindName[];
  /** Changes of user ids are needed (costs a probe on each set*uid call). */
  readonly identity: boolean;
  /** Hashes of programs or watched files are needed. */
  readonly hashes: boolean;
  /** Acts, or accesses other than attach, are needed (costs a hook on all system calls). */
  readonly calls: boolean;
  /** Objects to watch, sorted by path. */
  readonly watches: readonly Watch[];
  /** Watches over `WATCHES_MAX` that were left out. */
  readonly watchesDropped: number;
  /** Rules that need the wide stream of opens. */
  readonly wide: readonly WideNeed[];
  /** Which opens of the wide stream any rule could need. */
  readonly opens: OpenFilter;
  /** Which records of connections any rule could need. */
  readonly network: NetworkInterest;
  /** No rule wants accepts and flows with peers in private networks. */
  readonly publicPeers: boolean;
  /** Roles that the kernel itself gives. */
  readonly roles: RoleMarks;
}

/** Measured ratio of open and close with the wide stream on: 1.13 to 1.3 (specs/sigma.md). */
const WIDE_COST = "every open of the host is then seen, at 1.13 to 1.3 times its cost";
/** What opens tell; with writing, of the wide stream alone. */
const OPEN_CLASSES = CLASSES.file_access | CLASSES.file_event;
/** What changes of watched objects tell. */
const CHANGE_CLASSES = CLASSES.file_event | CLASSES.file_delete | CLASSES.file_rename |
  CLASSES.file_change;
const FILE_CLASSES = OPEN_CLASSES | CHANGE_CLASSES;
const CALLS_COST =
  "a hook on all system calls is attached for it, which slows each by about 0.06 µs";
const CHANGE_LIMIT = "changes are told of watched files alone";
/** A connection's name is that of the answer which gave its address. */
const NAMED_CLASSES = CLASSES.dns_query | CLASSES.dns_answer;
/** Kinds that only some rule sets need. */
const CLASSES_OF_KINDS: readonly (readonly [kind: KindName, classes: number])[] = [
  ["identity", CLASSES.identity],
  ["signal", CLASSES.process_signal],
  ["access", CLASSES.process_access],
  ["connect", CLASSES.network_connection],
  ["bind", CLASSES.network_bind],
  ["open", OPEN_CLASSES],
  ["listen", CLASSES.network_listen],
  ["accept", CLASSES.network_accept],
  ["flow", CLASSES.network_flow],
  ["dns", NAMED_CLASSES],
  ["change", CHANGE_CLASSES],
  ["act", CLASSES.privileged_act],
];
/** Fields with the path of a file: Sigma's, and auditd's. */
const PATH_FIELDS: ReadonlySet<string> = new Set(["TargetFilename", "SourceFilename", "name"]);
const COST_FILE = 1;
const COST_TREE = 16;
const COST_WIDE = 1_000_000;

/**
 * Works out what the rules need.
 *
 * @param rules Rules in the order of the image.
 * @param roles Role rules, in their order.
 * @returns Kinds, watches and the rules that these do not serve.
 */
export function interestOf(
  rules: readonly RuleLogic[],
  roles: readonly RoleExpression[] = [],
): Interest {
  const watches = new Map<string, Watch>();
  const wide: WideNeed[] = [];
  let classMask = 0;
  let [named, calls] = [false, false];
  rules.forEach((rule, index) => {
    const mask = classMaskOf(rule) & ~CLASSES.flat;
    classMask |= mask;
    if ([...testsOf(rule.expression)].some(({ field }) => field === "DestinationHostname")) {
      named = true;
    }
    if (wantsCalls(rule, mask)) {
      calls = true;
      wide.push({ rule: index, why: "calls", reason: CALLS_COST });
    }
    if ((mask & FILE_CLASSES) === 0) return;
    const { found, reason } = watchesOf(rule);
    for (const watch of found) {
      const key = `${watch.path}\n${watch.type}`;
      watches.set(key, wanting(watch, { mask, before: watches.get(key) }));
    }
    if (reason === undefined) return;
    if ((mask & OPEN_CLASSES) !== 0) {
      const cost = `${WIDE_COST}; ${filterNote(rule)}`;
      wide.push({ rule: index, why: "path", reason: `${reason}: ${cost}` });
    } else wide.push({ rule: index, why: "change", reason: `${reason}: ${CHANGE_LIMIT}` });
  });
  const sorted = [...watches.values()].sort((a, b) =>
    a.path < b.path ? -1 : a.path > b.path ? 1 : a.type < b.type ? -1 : 1
  );
  return {
    classMask,
    kinds: kindsOf(classMask | (named ? NAMED_CLASSES : 0)),
    identity: (classMask & CLASSES.identity) !== 0,
    calls,
    hashes: (classMask & (CLASSES.program_hash | CLASSES.file_hash)) !== 0,
    watches: sorted.slice(0, WATCHES_MAX),
    watchesDropped: Math.max(0, sorted.length - WATCHES_MAX),
    wide,
    opens: openFilterOf(rules),
    network: networkInterestOf(rules),
    publicPeers: rules.every(leavesPrivateOut),
    roles: roleMarksOf(roles),
  };
}

/** Whether a rule can fire on what only a hook on system calls tells. */
function wantsCalls(rule: RuleLogic, mask: number): boolean {
  if ((mask & CLASSES.privileged_act) !== 0) return true;
  if ((mask & CLASSES.process_access) === 0) return false;
  const asked = requirementOf(rule.expression, ({ field }) => field === "Access" ? 1 : Infinity);
  return asked === undefined ||
    asked.tests.some(({ criterion }) =>
      criterion.type !== "pattern" || foldCase(formatValue(criterion.pattern)) !== "attach"
    );
}

/** A watch for rules of these classes, beside what it is for already. */
function wanting(
  { type, path }: Watch,
  { mask, before }: { readonly mask: number; readonly before: Watch | undefined },
): Watch {
  const opens = (mask & CLASSES.file_access) !== 0 ||
    (before !== undefined && before.wants !== "changes");
  const changes = (mask & CHANGE_CLASSES) !== 0 || before?.wants !== undefined;
  return { type, path, ...(changes ? { wants: opens ? "both" : "changes" } : {}) };
}

/** What the setting `sensor.open = "rules"` makes of it. */
function filterNote(rule: RuleLogic): string {
  return needsEveryOpen(rule)
    ? "the kernel cannot tell its paths, and sends them all"
    : "the kernel filters by its paths";
}

function leavesPrivateOut(rule: RuleLogic): boolean {
  const { expression } = rule;
  const mask = classMaskOf(rule);
  if ((mask & CLASSES.network_flow) !== 0) return wantsPublicOnly(expression, "DestinationIp");
  return (mask & CLASSES.network_accept) === 0 || wantsPublicOnly(expression, "SourceIp");
}

function kindsOf(classMask: number): readonly KindName[] {
  return [
    "exec",
    "fork",
    "exit",
    ...CLASSES_OF_KINDS.filter(([, classes]) => (classMask & classes) !== 0).map(([kind]) => kind),
  ];
}

/** What watches see of a rule's opens. */
interface Watched {
  readonly found: readonly Watch[];
  /** Why they do not see every event that can fire it. */
  readonly reason?: string;
}

/** Watches that see every event that can fire the rule; else its exact files, and the reason. */
function watchesOf(rule: RuleLogic): Watched {
  const requirement = requirementOf(rule.expression, costOf);
  if (requirement === undefined) {
    return { found: [], reason: "it asks for no path of TargetFilename" };
  }
  // What is no test of a path asks for nothing that an open could fulfil.
  const tests = requirement.tests.filter((test) => auditClassOf(test) === undefined);
  const found = tests.map(watchOf);
  const blind = tests[found.indexOf(undefined)];
  const watches = found.filter((watch) => watch !== undefined);
  if (blind === undefined) return { found: watches };
  const what = `${blind.field} ${describeCriterion(blind.criterion)}`;
  return {
    found: watches.filter(({ type }) => type === "file"),
    reason: `no watch covers ${what}`,
  };
}

function costOf(test: FieldTest): number {
  const auditClass = auditClassOf(test);
  if (auditClass !== undefined) return (auditClass & FILE_CLASSES) === 0 ? 0 : Infinity;
  if (!PATH_FIELDS.has(test.field)) return Infinity;
  const watch = watchOf(test);
  if (watch === undefined) return COST_WIDE;
  return watch.type === "file" ? COST_FILE : COST_TREE;
}

function watchOf({ criterion }: FieldTest): Watch | undefined {
  if (criterion.type !== "pattern") return undefined;
  const { op } = atomTestOf(criterion);
  const [text] = criterion.pattern;
  if (typeof text !== "string" || !text.startsWith("/")) return undefined;
  if (op === "equals") return { type: "file", path: text };
  const directory = text.slice(0, text.lastIndexOf("/"));
  return op === "startswith" && directory !== "" ? { type: "tree", path: directory } : undefined;
}
