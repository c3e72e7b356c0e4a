import { assertEquals } from "@std/assert";
import { ensurePackages, type Requirement, REQUIREMENTS } from "./packages.ts";

const MISSING: Requirement = {
  name: "a tool that nobody has",
  probe: "immune-no-such-tool",
  package: "immune-no-such-package",
};

Deno.test("ensurePackages() with --no-install refuses, and names what is missing", async () => {
  assertEquals(await ensurePackages([MISSING], { install: false }), [MISSING]);
});

Deno.test("ensurePackages() finds files and commands that are there", async () => {
  const present: Requirement[] = [
    { name: "shell", probe: "sh", package: "dash" },
    { name: "users", probe: "/etc/passwd", package: "base-passwd" },
  ];
  assertEquals(await ensurePackages(present, { install: false }), []);
});

Deno.test("REQUIREMENTS name each package once", () => {
  const packages = REQUIREMENTS.map((requirement) => requirement.package);
  assertEquals(new Set(packages).size, packages.length);
});
