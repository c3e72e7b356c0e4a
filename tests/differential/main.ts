// deno task test:differential [--pairs N] [--seed S]
//
// Holds the engine against the reference evaluator on generated rules and events, and prints
//
//   seed=S rules=N pairs=N hits=N disagreements=0
//
// Exit code 1 unless they agree on every pair; the first disagreements are then shown, each made as
// small as it goes.
import { parseArgs } from "node:util";
import { Comparer } from "./compare.ts";
import { minimised } from "./minimise.ts";
import { type FoundDisagreement, runDifferential } from "./run.ts";

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pairs: { type: "string", default: "1000000" },
      seed: { type: "string", default: "1" },
    },
  });
  const [pairs, seed] = [Number(values.pairs), Number(values.seed)];
  if (![pairs, seed].every((number) => Number.isSafeInteger(number) && number > 0)) {
    console.error("Cannot run: --pairs and --seed take a whole number from 1 on");
    return 2;
  }
  const comparer = await Comparer.create();
  const result = runDifferential(comparer, { pairs, seed });
  for (const one of result.kept) console.log(describe(comparer, one));
  console.log(
    `seed=${seed} rules=${result.rules} pairs=${result.pairs} hits=${result.hits} ` +
      `disagreements=${result.disagreements}`,
  );
  return result.disagreements === 0 ? 0 : 1;
}

function describe(comparer: Comparer, found: FoundDisagreement): string {
  if (typeof found.engine === "object") return `refused: ${found.engine.refused}\n${found.rule}`;
  const { rule, event } = minimised(comparer, found);
  return `engine ${found.engine}, reference ${found.reference}: ` +
    `${JSON.stringify(Object.fromEntries(event))}\n${rule}`;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
