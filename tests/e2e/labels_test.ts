import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { KernelSensor } from "../../agent/sensors/kernel.ts";
import { decodeRecords, type RecordView } from "../../common/record/mod.ts";
import { FLAGS } from "../../common/record/values.ts";
import { compileRules, readRuleSources } from "../../common/sigma/mod.ts";
import { Engine } from "../../wasm/engine/mod.ts";
import { ROOT } from "../support/immune.ts";
import { inFolder, sensorTest } from "../support/probe.ts";

const DEADLINE_MS = 120_000;
const UTF8 = new TextDecoder();

/** A kernel and an engine with the shipped roles, as a pipeline joins them. */
class Labeller implements Disposable {
  readonly sensor = KernelSensor.open();
  /** As the kernel gave them, and as they were after the scan. */
  readonly records: { readonly given: RecordView; readonly scanned: RecordView }[] = [];
  readonly #engine: Engine;

  private constructor(engine: Engine) {
    this.#engine = engine;
  }

  static async open(): Promise<Labeller> {
    const { image, interest } = compileRules(await readRuleSources(`${ROOT}rules/roles`));
    const engine = await Engine.create();
    engine.publish(image);
    const labeller = new Labeller(engine);
    labeller.sensor.policy({
      kinds: ["exec", "fork", "exit"],
      wideOpen: false,
      identity: false,
      wakeIntervalUs: 0,
      watches: [],
      roles: interest.roles,
    });
    return labeller;
  }

  /** Reads until a record is `wanted`; that one, as given and as scanned. */
  until(wanted: (record: RecordView) => boolean): (typeof this.records)[number] {
    const end = Date.now() + DEADLINE_MS;
    for (;;) {
      const found = this.records.find(({ scanned }) => wanted(scanned));
      if (found !== undefined) return found;
      if (Date.now() > end) throw new Error("The record did not come");
      this.#read();
    }
  }

  #read(): void {
    const { batch } = this.#engine;
    const length = this.sensor.poll(batch, 50);
    const given = [...decodeRecords(batch.slice(0, length))];
    this.#engine.scan(length);
    const scanned = [...decodeRecords(batch.slice(0, length))];
    const labels = this.#engine.takeLabels();
    if (labels.length > 0) this.sensor.label(labels);
    scanned.forEach((record, i) => {
      const before = given[i];
      if (before !== undefined) this.records.push({ given: before, scanned: record });
    });
  }

  [Symbol.dispose](): void {
    this.sensor.close();
  }
}

function argvHas(record: RecordView, kind: "exec" | "process", text: string): boolean {
  if (record.kind !== kind) return false;
  return UTF8.decode(record.slot(kind, "argv")).includes(text);
}

/** A word that no other process of the host has in its arguments. */
function mark(): string {
  return `mark-${crypto.randomUUID()}`;
}

/** A copy of the host's bash under another name. */
async function bashAs(folder: string, name: string): Promise<string> {
  const path = `${folder}/${name}`;
  await Deno.copyFile("/usr/bin/bash", path);
  await Deno.chmod(path, 0o755);
  return path;
}

sensorTest("labels: a role by marks is the kernel's, on the exec that begins it", async () => {
  await inFolder(async (folder) => {
    using labeller = await Labeller.open();
    const server = await bashAs(folder, "ollama");
    const [one, two] = [mark(), mark()];
    await new Deno.Command(server, { args: ["-c", `: ${one}; (/bin/true ${two}); :`] }).output();
    const exec = labeller.until((record) => argvHas(record, "exec", `: ${one}`));
    assertEquals([exec.given.role, exec.scanned.role], [1, 1]);
    assert((exec.given.flags & FLAGS.labelled) !== 0);
    assertEquals(exec.given.session, exec.scanned.session);
    const child = labeller.until((record) => argvHas(record, "exec", `true\0${two}`));
    assertEquals([child.given.role, child.given.session], [1, exec.given.session]);
    assertEquals(child.given.flags & FLAGS.labelled, 0);
  });
});

sensorTest("labels: a role that only the whole command line tells reaches the kernel", async () => {
  await inFolder(async (folder) => {
    using labeller = await Labeller.open();
    const python = await bashAs(folder, "python3");
    const [started, ran] = [mark(), mark()];
    const child = new Deno.Command(python, {
      args: ["-c", `read line; /bin/true ${ran}; read line`, "vllm.entrypoints", started],
      stdin: "piped",
      stdout: "null",
    }).spawn();
    const exec = labeller.until((record) => argvHas(record, "exec", started));
    assertEquals([exec.given.role, exec.scanned.role], [0, 1]);
    const input = child.stdin.getWriter();
    await input.write(new TextEncoder().encode("go\n"));
    const later = labeller.until((record) => argvHas(record, "exec", `true\0${ran}`));
    assertEquals([later.given.role, later.given.session], [1, exec.scanned.session]);
    await input.close();
    await child.status;
  });
});

sensorTest("labels: what runs already is found, parents first, and the kernel has it", async () => {
  await inFolder(async (folder) => {
    const server = await bashAs(folder, "llama-server");
    const shell = await bashAs(folder, "helper");
    const [begun, ran] = [mark(), mark()];
    const child = new Deno.Command(server, {
      args: ["-c", `echo up; ${shell} -c 'read line; /bin/true ${ran}; read line'; :`, begun],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const output = child.stdout.getReader();
    await output.read();
    using labeller = await Labeller.open();
    const first = labeller.until((record) => argvHas(record, "process", begun));
    assertEquals(first.scanned.role, 1);
    assertNotEquals(first.scanned.session, 0n);
    const input = child.stdin.getWriter();
    await input.write(new TextEncoder().encode("go\n"));
    const third = labeller.until((record) => argvHas(record, "exec", `true\0${ran}`));
    assertEquals([third.given.role, third.given.session], [1, first.scanned.session]);
    await input.close();
    await output.cancel();
    await child.status;
  });
});
