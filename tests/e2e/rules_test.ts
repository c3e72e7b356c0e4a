import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { userRecords } from "../../agent/pipeline/users.ts";
import { evaluate } from "../../common/sigma/_evaluate_test_support.ts";
import { EXPRESSION, FIELDS, VALUE } from "../../common/sigma/_expression_test_support.ts";
import type { Expression } from "../../common/sigma/expression.ts";
import { encodeImage } from "../../common/sigma/image.ts";
import {
  AUTHENTICATION_CATEGORY,
  compileRules,
  type ExampleEvent,
  type LogSource,
  readRuleSources,
  type RuleExamples,
  TAMPER_CATEGORY,
} from "../../common/sigma/mod.ts";
import { ALERT_LOG_SOURCE } from "../../common/sigma/alert_fields.ts";
import { Plan } from "../../common/sigma/plan.ts";
import { encodeRecord } from "../../common/record/mod.ts";
import { encodeFlat, Engine } from "../../wasm/engine/mod.ts";
import { actOf, flagsOf, streamsOf } from "../support/rule_records.ts";

const ROOT = new URL("../../rules/", import.meta.url).pathname;
const PACKS = ["ai", "correlations", "costly", "linux"];
const SET = compileRules(
  (await Promise.all(PACKS.map((pack) => readRuleSources(`${ROOT}${pack}`)))).flat(),
);
const PARENT = { pid: 100, start_time_ns: 1000n, uid: 1000 } as const;
const UID_UNKNOWN = 0xFFFF_FFFF;
/** Whose name an event gives, without a number. */
const NAMED_UID = 990;

async function engineWith(image: Uint8Array): Promise<Engine> {
  const engine = await Engine.create();
  engine.publish(image);
  return engine;
}

function fireFlat(engine: Engine, values: readonly (string | undefined)[]): number[] {
  const hits = engine.scan(encodeFlat(values, engine.batch));
  return hits.map(({ rule }) => rule).sort((a, b) => a - b);
}

function isMade({ category }: LogSource): boolean {
  return category === AUTHENTICATION_CATEGORY || category === TAMPER_CATEGORY;
}

Deno.test("the engine fires each rule of the pack on its events, as flat events", async () => {
  const engine = await engineWith(SET.image);
  SET.rules.forEach(({ path, examples }, index) => {
    const check = (event: ExampleEvent, wanted: boolean): void => {
      const values = SET.fields.map((field) => event[field] ?? undefined);
      const fired = fireFlat(engine, values).includes(index);
      assertEquals(fired, wanted, `${path}: ${JSON.stringify(event)}`);
    };
    for (const event of examples.must) check(event, true);
    for (const event of examples.mustNot) check(event, false);
  });
});

function argv(commandLine: string | null | undefined): string | undefined {
  return commandLine == null ? undefined : `${commandLine.replaceAll(" ", "\0")}\0`;
}

function slots(
  values: Readonly<Record<string, string | null | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => value == null ? [] : [[name, value]]),
  );
}

/** Any role's name gets a number here. */
const ROLES = [...new Set(SET.rules.flatMap(({ examples }) => roleNames(examples)))];

function roleNames({ must, mustNot }: RuleExamples): readonly string[] {
  return [...must, ...mustNot].flatMap(({ Role }) => Role == null ? [] : [Role]);
}

/** The records of a kernel that would tell this event: parent, process, and what it did. */
function recordsOf(event: ExampleEvent, category: string | undefined): Uint8Array[] {
  const number = (name: string, other: number) => Number(event[name] ?? other);
  const parentUid = number("ParentUserId", UID_UNKNOWN);
  const process = {
    pid: 200,
    tid: 200,
    start_time_ns: 2000n,
    parent_pid: PARENT.pid,
    parent_start_time_ns: PARENT.start_time_ns,
    uid: number("UserId", event["User"] == null ? PARENT.uid : NAMED_UID),
    flags: flagsOf(event),
    role: ROLES.indexOf(event["Role"] ?? "") + 1,
  };
  const records = [
    ...userRecords(new Map(event["User"] == null ? [] : [[process.uid, event["User"]]]), 0n),
    ...ROLES.map((name, i) => encodeRecord("role", { header: { role: i + 1 }, slots: { name } })),
    encodeRecord("exec", {
      header: { ...PARENT, uid: parentUid },
      slots: slots({ image: event["ParentImage"], argv: argv(event["ParentCommandLine"]) }),
    }),
    encodeRecord("exec", {
      header: process,
      body: { parent_uid: parentUid, ...streamsOf(event) },
      slots: slots({
        image: event["Image"],
        argv: argv(event["CommandLine"]),
        cwd: event["CurrentDirectory"],
        file_name: event["ExecFile"],
      }),
    }),
  ];
  return [...records, ...actOf(event, { category, process, roles: ROLES })];
}

Deno.test("the engine fires each rule of the pack on its events, as kernel records", async () => {
  for (const [index, { path, examples, logSource }] of SET.rules.entries()) {
    // Those that judge alerts see no records, those over what the agent makes itself flat events.
    if (logSource.service === ALERT_LOG_SOURCE.service || isMade(logSource)) continue;
    const check = async (event: ExampleEvent, wanted: boolean): Promise<void> => {
      const engine = await engineWith(SET.image);
      let length = 0;
      for (const record of recordsOf(event, logSource.category)) {
        engine.batch.set(record, length);
        length += record.length;
      }
      const fired = engine.scan(length).some(({ rule }) => rule === index);
      assertEquals(fired, wanted, `${path}: ${JSON.stringify(event)}`);
    };
    for (const event of examples.must) await check(event, true);
    for (const event of examples.mustNot) await check(event, false);
  }
});

Deno.test("the engine fires what the expressions ask, any rules and events", async () => {
  const engine = await Engine.create();
  const events = fc.dictionary(fc.constantFrom(...FIELDS), VALUE);
  const compile = (expressions: readonly Expression[]) => {
    const plan = new Plan();
    expressions.forEach((expression, i) =>
      plan.add({ id: `r${i}`, logSource: {}, position: { line: 1, column: 1 }, expression })
    );
    return { image: encodeImage(plan).bytes, fields: plan.fields.map(({ name }) => name) };
  };
  fc.assert(
    fc.property(
      fc.array(EXPRESSION, { minLength: 1, maxLength: 6 }),
      fc.array(events, { minLength: 1, maxLength: 4 }),
      (expressions, list) => {
        const { image, fields } = compile(expressions);
        engine.publish(image);
        for (const event of list) {
          const given = new Map(Object.entries(event));
          const wanted = expressions.flatMap((e, i) => evaluate(e, given) ? [i] : []);
          assertEquals(fireFlat(engine, fields.map((field) => given.get(field))), wanted);
        }
      },
    ),
    { numRuns: 300 },
  );
});
