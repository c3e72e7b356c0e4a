import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { encodeRecord, type HeaderValues } from "../../common/record/mod.ts";
import { compile, scanAll } from "./_engine_test_support.ts";
import { Engine } from "./engine.ts";

const WORDS = ["ab", "bc", "c", "a"] as const;
const FIELDS = [
  "Image",
  "CommandLine",
  "CurrentDirectory",
  "ParentImage",
  "ParentCommandLine",
  "AncestorImage",
  "TargetFilename",
] as const;
const PIDS = 3;

interface Shape {
  readonly field: (typeof FIELDS)[number];
  readonly word: string;
  readonly modifier: "contains" | "startswith" | "endswith";
}
type Step =
  | { readonly type: "exec"; readonly pid: number; readonly parent: number; readonly texts: Texts }
  | { readonly type: "fork"; readonly pid: number; readonly parent: number }
  | { readonly type: "open"; readonly pid: number; readonly path: string }
  | { readonly type: "publish" };
interface Texts {
  readonly image: string;
  readonly argv: string;
  readonly cwd: string;
}
interface Known {
  readonly parent: number;
  readonly texts: Texts | undefined;
}

const TEXT = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 5 }).map((all) =>
  all.join("")
);
const PID = fc.integer({ min: 1, max: PIDS });
const SHAPE: fc.Arbitrary<Shape> = fc.record({
  field: fc.constantFrom(...FIELDS),
  word: fc.constantFrom(...WORDS),
  modifier: fc.constantFrom("contains", "startswith", "endswith"),
});
const STEP: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant("exec" as const),
    pid: PID,
    parent: PID,
    texts: fc.record({ image: TEXT, argv: TEXT, cwd: TEXT }),
  }),
  fc.record({ type: fc.constant("fork" as const), pid: PID, parent: PID }),
  { weight: 4, arbitrary: fc.record({ type: fc.constant("open" as const), pid: PID, path: TEXT }) },
  fc.constant({ type: "publish" as const }),
);

/** The processes as they should be known: what ran last in each, and whose child it is. */
class Processes {
  readonly #known = new Map<number, Known>();

  exec(pid: number, parent: number, texts: Texts): void {
    this.#known.set(pid, { parent, texts });
  }

  fork(pid: number, parent: number): void {
    const own = this.#known.get(pid)?.texts;
    this.#known.set(pid, { parent, texts: own ?? this.#known.get(parent)?.texts });
  }

  /** All values of a field of an open by a process. */
  values(field: (typeof FIELDS)[number], { pid, path }: { pid: number; path: string }): string[] {
    const process = this.#known.get(pid);
    const parents = process === undefined ? [] : [this.#known.get(process.parent)];
    const texts = (known: Known | undefined, key: keyof Texts): string[] =>
      known?.texts === undefined ? [] : [known.texts[key]];
    if (field === "TargetFilename") return [path];
    if (field === "Image") return texts(process, "image");
    if (field === "CommandLine") return texts(process, "argv");
    if (field === "CurrentDirectory") return texts(process, "cwd");
    if (field === "ParentImage") return parents.flatMap((parent) => texts(parent, "image"));
    if (field === "ParentCommandLine") return parents.flatMap((parent) => texts(parent, "argv"));
    return this.#ancestors(process).flatMap((each) => texts(each, "image"));
  }

  #ancestors(process: Known | undefined): Known[] {
    const found: Known[] = [];
    let at = process === undefined ? undefined : this.#known.get(process.parent);
    for (let i = 0; i < 16 && at !== undefined; i++) {
      found.push(at);
      at = this.#known.get(at.parent);
    }
    return found;
  }
}

function header(pid: number, parent?: number): HeaderValues {
  const ids = { pid, start_time_ns: BigInt(pid) };
  if (parent === undefined) return ids;
  return { ...ids, parent_pid: parent, parent_start_time_ns: BigInt(parent) };
}

function recordOf(step: Exclude<Step, { type: "publish" }>): Uint8Array {
  if (step.type === "open") {
    return encodeRecord("open", { header: header(step.pid), slots: { path: step.path } });
  }
  const known = header(step.pid, step.parent);
  if (step.type === "fork") return encodeRecord("fork", { header: known });
  return encodeRecord("exec", { header: known, slots: { ...step.texts } });
}

function imageOf(shapes: readonly Shape[]): Uint8Array {
  return compile(...shapes.map(({ field, word, modifier }) => ({
    category: "file_access",
    detection: [`s: { ${field}|${modifier}: ${word} }`, "condition: s"],
  }))).image;
}

function fulfils({ word, modifier }: Shape, value: string): boolean {
  if (modifier === "contains") return value.includes(word);
  return modifier === "startswith" ? value.startsWith(word) : value.endsWith(word);
}

Deno.test("Engine.scan() finds on kept atoms what it finds on the texts themselves", async () => {
  const engine = await Engine.create();
  let pidBase = 0;
  let fired = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(SHAPE, { minLength: 1, maxLength: 8 }),
      fc.array(STEP, { minLength: 10, maxLength: 40 }),
      (shapes, steps) => {
        // Other processes than those of the last run, in the same table.
        pidBase += PIDS;
        const image = imageOf(shapes);
        engine.publish(image);
        const processes = new Processes();
        for (const step of steps) {
          if (step.type === "publish") {
            engine.publish(image);
            continue;
          }
          const parent = step.type === "open" ? {} : { parent: pidBase + step.parent };
          const [found = []] = scanAll(engine, [
            recordOf({ ...step, ...parent, pid: pidBase + step.pid }),
          ]);
          if (step.type === "exec") processes.exec(step.pid, step.parent, step.texts);
          else if (step.type === "fork") processes.fork(step.pid, step.parent);
          else {
            const expected = shapes.flatMap((shape, i) =>
              processes.values(shape.field, step).some((value) => fulfils(shape, value)) ? [i] : []
            );
            fired += expected.length;
            assertEquals(found, expected);
          }
        }
        return Promise.resolve();
      },
    ),
    { numRuns: 300 },
  );
  assert(fired > 500, `${fired} fired`);
  const { kept_bytes, atoms_not_kept } = engine.stats();
  assert(kept_bytes > 0 && atoms_not_kept === 0, `${kept_bytes} kept, ${atoms_not_kept} not`);
});

Deno.test("Engine.scan() gives the room of kept atoms back with their programs", async () => {
  const engine = await Engine.create({ processes: 8 });
  engine.publish(imageOf([{ field: "Image", word: "ab", modifier: "contains" }]));
  const texts = { image: "/ab", argv: "ab\0", cwd: "/" };
  const kept: number[] = [];
  for (let pid = 1; pid <= 200; pid++) {
    const exec = recordOf({ type: "exec", pid, parent: 1, texts });
    const open = recordOf({ type: "open", pid, path: "/x" });
    assertEquals(scanAll(engine, [exec, open]), [[], [0]]);
    kept.push(engine.stats().kept_bytes);
  }
  const most = Math.max(...kept.slice(10));
  assert(most > 0 && most <= 10 * 128, `${most} bytes kept for 8 processes`);
});

Deno.test("Engine.scan() does without room for kept atoms, and counts it", async () => {
  const engine = await Engine.create();
  const names = Array.from({ length: 5000 }, (_, i) => `q${i.toString(36).padStart(3, "0")}`);
  const words = names.flatMap((name) => [name, name.slice(1)]);
  engine.publish(
    compile({
      category: "file_access",
      detection: [
        `s: { CommandLine|contains: [${words.join()}] }`,
        "condition: s",
      ],
    }).image,
  );
  // The command line holds more of the literals than a block of the arena has room for.
  const texts = { image: "/ab", argv: names.join(""), cwd: "/" };
  const exec = recordOf({ type: "exec", pid: 5, parent: 1, texts });
  const open = recordOf({ type: "open", pid: 5, path: "/x" });
  assertEquals(scanAll(engine, [exec, open, open]), [[], [0], [0]]);
  assertEquals(engine.stats().atoms_not_kept, 2);
  assertEquals(engine.stats().kept_bytes, 0);
});
