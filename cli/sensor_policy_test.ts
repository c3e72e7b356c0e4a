import { assertEquals, assertStringIncludes } from "@std/assert";
import type { CompiledRules } from "../agent/rules/messages.ts";
import type { LoadedIndicators } from "../agent/indicators/messages.ts";
import { listedFiles, type Policy } from "../agent/sensors/mod.ts";
import { WATCHES_MAX } from "../common/record/bounds.ts";
import { loadConfig } from "../common/config/mod.ts";
import { compileRules } from "../common/sigma/mod.ts";
import { notSeenLine, policyOf } from "./sensor_policy.ts";

function listed(paths: readonly string[], address = false): LoadedIndicators {
  const watches = paths.map((path) => ({ type: "file" as const, path }));
  const files = listedFiles({ paths, names: [] });
  return {
    interest: { address, dns: address, watches, files, pathsNotWatched: 0 },
  } as unknown as LoadedIndicators;
}

function policy(indicators: LoadedIndicators | undefined, watch: readonly string[] = []): Policy {
  const { values } = loadConfig({ flags: { "sensor-watch": watch }, environment: {} });
  return policyOf(values, { rules: undefined, indicators, kinds: undefined });
}

Deno.test("policyOf() asks for what indicators need, and no more", () => {
  assertEquals(policy(undefined).kinds, ["exec", "fork", "exit"]);
  assertEquals(policy(listed([], true)).kinds, [
    "exec",
    "fork",
    "exit",
    "connect",
    "accept",
    "dns",
  ]);
  const { kinds, watches } = policy(listed(["/tmp/a"]), ["/tmp/a", "/etc/"]);
  assertEquals(kinds, ["exec", "fork", "exit", "open", "change"]);
  assertEquals(watches.map(({ type, path }) => `${type} ${path}`), [
    "file /tmp/a",
    "children /etc",
  ]);
});

Deno.test("policyOf() stays within the sensor's bound, and notSeenLine() says what is left", () => {
  const paths = Array.from({ length: WATCHES_MAX }, (_, i) => `/tmp/${i}`);
  const indicators = listed(paths);
  const asked = policy(indicators, ["/etc/shadow", "/etc/passwd"]);
  assertEquals(asked.watches.length, WATCHES_MAX);
  assertStringIncludes(notSeenLine(indicators, asked) ?? "", "2 listed paths are not watched");
  assertEquals(notSeenLine(indicators, { ...asked, wideOpen: true }), undefined);
  assertEquals(notSeenLine(listed(["/tmp/a"]), policy(listed(["/tmp/a"]))), undefined);
});

Deno.test("policyOf() lets through what is listed, where rules filter the wide stream", () => {
  const { interest, ...rest } = compileRules([{
    path: "a.yml",
    text: "title: T\nlogsource: { category: file_access, product: linux }\n" +
      "detection: { s: { TargetFilename|endswith: /id_rsa }, condition: s }\n",
  }]);
  const rules = { interest, ...rest } as unknown as CompiledRules;
  const of = (open: "rules" | "wide"): Policy => {
    const { values } = loadConfig({ flags: { "sensor-open": open }, environment: {} });
    return policyOf(values, { rules, indicators: listed(["/tmp/a"]), kinds: undefined });
  };
  const filtered = of("rules");
  assertEquals(filtered.opens, interest.opens);
  assertEquals(filtered.listedFiles, listedFiles({ paths: ["/tmp/a"], names: [] }));
  assertEquals([filtered.wideOpen, of("wide").opens], [true, undefined]);
});

Deno.test("policyOf() asks for opens where names alone are listed", () => {
  const { interest } = listed([]);
  const indicators = {
    interest: { ...interest, files: listedFiles({ paths: [], names: ["x"] }) },
  } as unknown as LoadedIndicators;
  assertEquals(policy(indicators).kinds, ["exec", "fork", "exit", "open"]);
});

Deno.test("policyOf() has a filter of connections where one is asked for or limits are laid", () => {
  const network = (flags: Record<string, string | number>, kinds?: readonly ["connect"]) => {
    const { values } = loadConfig({ flags, environment: {} });
    return policyOf(values, { rules: undefined, indicators: listed([], true), kinds }).network;
  };
  assertEquals(network({})?.filters, false);
  assertEquals(network({ "sensor-connections": "rules" })?.filters, true);
  assertEquals(network({ "sensor-process-rate": 10 })?.filters, false);
  // Who asks for connects by name wants all of them.
  assertEquals(network({ "sensor-connections": "rules" }, ["connect"]), undefined);
});
