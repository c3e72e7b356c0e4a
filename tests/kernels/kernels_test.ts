import { assert, assertEquals } from "@std/assert";
import { LEFT_OUT } from "../../build/programs.ts";
import { canLoadSensor } from "../support/host.ts";
import { FOLDER, obtainKernel } from "./fetch.ts";
import { SHORT } from "./job.ts";
import { compareVersions, KERNELS } from "./kernels.ts";
import { runKernel } from "./matrix.ts";

/** The oldest kernel: it runs the object that no newer host runs. */
const [OLDEST] = KERNELS;
/** Longest that the guest may run, in milliseconds: on a busy host emulation takes its time. */
const LIMIT_MS = 1_200_000;

assert(OLDEST !== undefined);
const kernel = OLDEST;
await Deno.mkdir(FOLDER, { recursive: true });
// Skipped without root too: what is built as root is what the guest gets.
const { image } = canLoadSensor() ? await obtainKernel(kernel) : { image: undefined };

Deno.test(`kernel in a virtual machine: the sensor works on Linux ${kernel.name}`, {
  ignore: image === undefined,
}, async () => {
  const result = await runKernel(kernel, { job: SHORT, limitMs: LIMIT_MS });
  assertEquals(result.broken, undefined);
  const refused = result.programs.filter(({ refusal }) => refusal !== "" && refusal !== LEFT_OUT);
  assertEquals(refused, []);
  assertEquals(result.tests.filter(({ state }) => state !== "passed"), []);
  assert(result.tests.length > (SHORT.live?.length ?? 0), `${result.tests.length} tests`);
  assert(result.programs.length > 10, `${result.programs.length} programs`);
});

Deno.test("compareVersions() knows numbers in names", () => {
  const names = ["linux-image-6.1.0-9-cloud", "linux-image-6.1.0-56-cloud", "linux-image-6.1.0-7"];
  assertEquals(names.sort(compareVersions).at(-1), "linux-image-6.1.0-56-cloud");
});

Deno.test("KERNELS take no debug package, no unsigned one and no other version", () => {
  for (const { name, arch, package: pattern } of KERNELS) {
    const whole = arch === "aarch64"
      ? "linux-image-6.1.3-1-cloud-arm64"
      : `linux-image-${name}.3-1-cloud-amd64`;
    assert(pattern.test(whole) !== pattern.test(whole.replace("image", "binary")), name);
    for (
      const wrong of [
        `${whole}-dbg`,
        `${whole}-unsigned`,
        whole.replace(/-[67]\.?\d*|-5\.10/, "-4.19"),
      ]
    ) {
      assertEquals(pattern.test(wrong), false, wrong);
      assertEquals(pattern.test(wrong.replace("image", "binary")), false, wrong);
    }
  }
});
