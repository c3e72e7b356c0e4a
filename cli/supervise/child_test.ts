import { assertEquals } from "@std/assert";
import { Child } from "./child.ts";

Deno.test("Child hands its lines on and starts again when it ends by itself", async () => {
  const lines: string[] = [];
  const ends: number[] = [];
  const twice = Promise.withResolvers<void>();
  const child = new Child({
    name: "twice",
    command: ["/bin/sh", "-c", "echo a; echo b; exit 3"],
    environment: {},
    onLine: (line) => {
      lines.push(line);
      if (lines.length === 4) twice.resolve();
    },
    onEnd: (code) => ends.push(code),
  });
  await twice.promise;
  await child.stop();
  assertEquals(lines.slice(0, 4), ["a", "b", "a", "b"]);
  assertEquals(ends[0], 3);
});

Deno.test("Child stops one that sleeps, and gives it no other environment", async () => {
  const started = Promise.withResolvers<string>();
  const child = new Child({
    name: "sleeper",
    command: ["/bin/sh", "-c", 'echo "${HOME-none} $GIVEN"; exec sleep 60'],
    environment: { GIVEN: "x" },
    onLine: started.resolve,
    onEnd: () => {},
  });
  assertEquals(await started.promise, "none x");
  await child.stop();
});
