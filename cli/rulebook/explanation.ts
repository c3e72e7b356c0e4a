import type { EventExplanation } from "../../agent/pipeline/explain_event.ts";
import type { Explained, ExplainedDetection } from "../../common/sigma/mod.ts";

/** Longest value that is shown whole, in characters. */
const VALUE_LENGTH_MAX = 200;
/** Most parts of a choice that are shown when none holds. */
const CHOICES_MAX = 8;

/**
 * An explanation for eyes: one line a part, `+` for what holds and `-` for what does not.
 *
 * @param explanation What the engine made of the event.
 * @returns Lines.
 */
export function explanationLines(explanation: EventExplanation): readonly string[] {
  const { detection, filters, logSourceApplies } = explanation;
  const source = logSourceApplies ? [] : ["- log source: the event is of another"];
  return [
    ...source,
    ...detectionLines(detection),
    ...filters.flatMap((filter) => [
      `${mark(!filter.leavesOut)} filter "${filter.title}" ${
        filter.leavesOut ? "leaves the event out" : "lets the event through"
      }`,
      ...detectionLines(filter).map((line) => `  ${line}`),
    ]),
  ];
}

function detectionLines({ selections, conditions }: ExplainedDetection): readonly string[] {
  return [
    ...conditions.map(({ text, holds }) => `${mark(holds)} condition: ${text}`),
    ...selections.flatMap(({ name, holds, of }) => [
      `${mark(holds)} ${name}`,
      ...partLines(of).map((line) => `  ${line}`),
    ]),
  ];
}

/** All parts of what stands together; of a choice those that hold, else the first few. */
function partLines(part: Explained): readonly string[] {
  if (part.kind === "test") {
    const value = part.value === undefined ? "it is absent" : `it is ${quoted(part.value)}`;
    return [`${mark(part.holds)} ${part.field || "any value"} ${part.wants}: ${value}`];
  }
  const { kind, of, holds } = part;
  const inner = (parts: readonly Explained[]): readonly string[] =>
    parts.flatMap(partLines).map((line) => `  ${line}`);
  if (kind === "not") return [`${mark(holds)} not`, ...inner(of)];
  if (kind === "and") return of.flatMap(partLines);
  const wanted = kind === "at_least" ? `at least ${part.count} of ${of.length}` : "";
  const held = of.filter((each) => each.holds);
  const shown = held.length > 0 ? held : of.slice(0, CHOICES_MAX);
  const head = `${mark(holds)} ${wanted || `one of ${of.length}`}: ${held.length} hold`;
  const left = of.length - held.length;
  const rest = held.length === 0 && left > CHOICES_MAX ? [`  ... and ${left - CHOICES_MAX}`] : [];
  return [head, ...inner(shown), ...rest];
}

function quoted(value: string): string {
  const more = value.length - VALUE_LENGTH_MAX;
  return more <= 0 ? `"${value}"` : `"${value.slice(0, VALUE_LENGTH_MAX)}" and ${more} more`;
}

function mark(holds: boolean): string {
  return holds ? "+" : "-";
}
