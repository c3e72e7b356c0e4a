import { type Antibody, antibodyRuleId } from "../../common/herd/antibody.ts";
import { rulesOf } from "../../common/herd/detect.ts";
import { compileRules, fieldValue, type JsonObject } from "../../common/sigma/mod.ts";
import { encodeFlat, Engine } from "../../wasm/engine/mod.ts";

/** Fewest processes that an engine's table takes: documents carry their own. */
const PROCESSES = 4;

/**
 * Runs antibodies that are rules, and those of ports, over documents.
 *
 * @param antibodies Each with its place.
 * @returns Says which places an event or alert has.
 */
export async function rulesMatch(
  antibodies: readonly (readonly [place: number, antibody: Antibody])[],
): Promise<(document: JsonObject) => readonly number[]> {
  const { image, fields, rules } = compileRules(
    rulesOf(antibodies.map(([, antibody]) => antibody)),
  );
  const engine = await Engine.create({ processes: PROCESSES });
  engine.publish(image);
  const placeOf = new Map(antibodies.map(([place, { id }]) => [antibodyRuleId(id), place]));
  const places = rules.map(({ id }) => placeOf.get(id ?? ""));
  return (document) => {
    const values = fields.map((field) => fieldValue(document, field));
    const length = encodeFlat(values, engine.batch);
    return engine.scan(length).flatMap(({ rule }) => places[rule] ?? []);
  };
}
