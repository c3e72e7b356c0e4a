// deno run -A tests/bench/workload.ts [--seed S] [--rules N] [--records N] [--sample N]
//
// The engine with 3,000 rules like those of SigmaHQ (specs/differential.md says which), on a million
// distinct records.
// Prints each figure as NAME=VALUE; exit code 1 when the hits are not the reference's.
import { parseArgs } from "node:util";
import { measureWorkload } from "./workload/measure.ts";

const OPTION = { type: "string" } as const;

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { seed: OPTION, rules: OPTION, records: OPTION, sample: OPTION },
  });
  const given = Object.entries(values).map(([name, text]): [string, number] => {
    return [name, Number(text)];
  });
  const bad = given.find(([, number]) => !Number.isSafeInteger(number) || number < 1);
  if (bad !== undefined) {
    console.error(`Cannot run: --${bad[0]} takes a whole number from 1 on`);
    return 2;
  }
  try {
    const { workload, figures } = await measureWorkload(Object.fromEntries(given));
    console.error(workload);
    for (const { figure, value } of figures) {
      console.log(`${figure}=${Number.isInteger(value) ? value : value.toPrecision(5)}`);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.error(error.message);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
