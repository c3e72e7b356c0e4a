import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { antibody, NOW_MS } from "./_herd_test_support.ts";
import {
  type Antibody,
  ANTIBODY_RULE_BYTES_MAX,
  ANTIBODY_TYPES,
  type AntibodyType,
  lintAntibody,
  type LintProblem,
  NO_OWN_THINGS,
} from "./mod.ts";
import { badRule } from "./rule_lint.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const OWN = {
  addresses: ["192.0.2.9", "2001:db8::9"],
  domains: ["hive.example.org"],
  ports: [8443],
  folders: ["/opt/immune", "/var/lib/immune"],
  hashes: ["ab".repeat(32)],
};

function blocking(type: AntibodyType, value: string, more: Partial<Antibody> = {}): Antibody {
  return antibody(type, value, { action: "block", expiresMs: NOW_MS + DAY_MS, ...more });
}

function lint(given: unknown): LintProblem | undefined {
  return lintAntibody(given, { nowMs: NOW_MS, own: OWN, rule: badRule });
}

function kind(type: AntibodyType, value: string, more: Partial<Antibody> = {}): string | undefined {
  return lint(blocking(type, value, more))?.kind;
}

const RULE = `
title: A dropper
logsource: { product: linux, category: process_creation }
detection:
  selection: { CommandLine|contains: "xmrig --donate" }
  condition: selection
`;

Deno.test("lintAntibody() takes what is meant", () => {
  const good: readonly (readonly [AntibodyType, string])[] = [
    ["hash", "12".repeat(32)],
    ["path", "/var/tmp/.cache/miner"],
    ["path", "/dev/shm/x"],
    ["path", "/srv/models/Meta-Llama-3-8B-Instruct-Q4_K_M-with-a-long-name-of-2026.gguf"],
    ["domain", "pool.minexmr.example"],
    ["domain", "xn--bcher-kva.example"],
    ["address", "203.0.113.7"],
    ["address", "10.1.2.3"],
    ["address", "2001:db8::1"],
    ["port", "4444"],
    ["rule", RULE],
  ];
  for (const [type, value] of good) assertEquals(lint(blocking(type, value)), undefined, value);
  assertEquals(kind("path", "/usr/bin/ls", { action: "watch" }), undefined);
  assertEquals(kind("port", "443", { action: "watch" }), undefined);
});

Deno.test("lintAntibody() takes one spelling of a thing only", () => {
  const bad: readonly (readonly [AntibodyType, string])[] = [
    ["hash", "12".repeat(31)],
    ["hash", "AB".repeat(32)],
    ["hash", `${"12".repeat(32)}\n`],
    ["path", "tmp/x"],
    ["path", "/tmp//x"],
    ["path", "/tmp/../usr/bin/ls"],
    ["path", "/tmp/./x"],
    ["path", "/tmp/x/"],
    ["path", "/tmp/*"],
    ["path", "/tmp/\u202egnp.exe"],
    ["path", "/tmp/\0x"],
    ["path", "/tmp/\ud800"],
    ["path", ""],
    ["path", `/${"x".repeat(1024)}`],
    ["domain", "Example.org"],
    ["domain", "example.org."],
    ["domain", "org"],
    ["domain", "-a.example"],
    ["domain", "a..example"],
    ["domain", "1.2.3.4"],
    ["domain", "bücher.example"],
    ["address", "127.1"],
    ["address", "0x7f.0.0.1"],
    ["address", "010.0.0.1"],
    ["address", "203.0.113.0/24"],
    ["address", "2001:DB8::1"],
    ["address", "2001:db8:0:0:0:0:0:1"],
    ["address", "::ffff:7f00:1"],
    ["address", "::ffff:127.0.0.1"],
    ["address", "64:ff9b::7f00:1"],
    ["address", "fe80::1%eth0"],
    ["port", "0"],
    ["port", "65536"],
    ["port", "0443"],
    ["port", "1-1024"],
  ];
  for (const [type, value] of bad) assertEquals(kind(type, value), "shape", JSON.stringify(value));
});

Deno.test("lintAntibody() refuses what hosts need", () => {
  const bad: readonly (readonly [AntibodyType, string])[] = [
    ["hash", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["hash", "0".repeat(64)],
    ["hash", "ab".repeat(32)],
    ["path", "/usr/bin/bash"],
    ["path", "/lib/x86_64-linux-gnu/libc.so.6"],
    ["path", "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"],
    ["path", "/etc/passwd"],
    ["path", "/sbin/init"],
    ["path", "/proc/self/exe"],
    ["path", "/dev/null"],
    ["path", "/dev/shm"],
    ["path", "/tmp"],
    ["path", "/opt/immune/out/immune"],
    ["path", "/var/lib/immune/agent/agent.key"],
    ["domain", "github.com"],
    ["domain", "objects.githubusercontent.com"],
    ["domain", "www.debian.org"],
    ["domain", "co.uk"],
    ["domain", "hive.example.org"],
    ["domain", "example.org"],
    ["domain", "db.internal"],
    ["address", "127.0.0.1"],
    ["address", "0.0.0.0"],
    ["address", "255.255.255.255"],
    ["address", "224.0.0.1"],
    ["address", "169.254.169.254"],
    ["address", "::1"],
    ["address", "::"],
    ["address", "fe80::1"],
    ["address", "ff02::1"],
    ["address", "192.0.2.9"],
    ["address", "2001:db8::9"],
    ["port", "22"],
    ["port", "443"],
    ["port", "8443"],
  ];
  for (const [type, value] of bad) assertEquals(kind(type, value), "protected", value);
});

Deno.test("lintAntibody() refuses what looks like a credential, in the value and in the reason", () => {
  // Made of parts, so that no scanner of this repository takes them for real.
  const secrets = [
    `AKIA${"ABCDEFGHIJKLMNOP"}`,
    `ghp_${"a1B2c3D4e5F6g7H8i9J0k1"}`,
    `hf_${"abcdefghijklmnopqrstuvwx"}`,
    `sk-${"proj-abcdefghij0123456789"}`,
    `eyJ${"hbGciOiJIUzI1NiJ9"}.${"eyJzdWIiOiIxMjM0In0"}.x`,
    `-----BEGIN ${"EC PRIVATE KEY"}-----`,
    "password=correct-horse",
    "https://ann:hunter22@example.org/",
    `$6$${"abcdefgh$0123456789abcdefg"}`,
    "q7Zx81LmPv0RkW3sT9bN2cYd5GhJ4fA6",
  ];
  for (const secret of secrets) {
    assertEquals(kind("path", `/var/tmp/${secret.replaceAll("//", ":")}`) !== undefined, true);
    const text = RULE.replace("xmrig --donate", secret);
    assertEquals(kind("rule", text), "credential", secret);
    assertEquals(kind("port", "4444", { reason: secret }), "credential", secret);
  }
});

Deno.test("lintAntibody() refuses what expired, and what would hold for too long", () => {
  assertEquals(kind("port", "4444", { expiresMs: NOW_MS }), "expired");
  assertEquals(kind("port", "4444", { expiresMs: NOW_MS + 31 * DAY_MS }), "expired");
  assertEquals(kind("port", "4444", { madeMs: NOW_MS - 30 * DAY_MS }), "expired");
});

Deno.test("lintAntibody() takes a Sigma rule only when it is one, bounded, safe and specific", () => {
  const bad: Readonly<Record<string, string>> = {
    "no rule": "hello",
    "no YAML": "detection: [",
    "two rules": `${RULE}---\n${RULE}`,
    "a role": "title: X\nrole: mine\ndetection: { s: { Image: /opt/mine }, condition: s }\n",
    "a dangerous pattern": RULE.replace('CommandLine|contains: "xmrig', 'CommandLine|re: "(x+x+)+'),
    "all processes": RULE.replace('CommandLine|contains: "xmrig --donate"', 'Image|contains: ""'),
    "everyday program": RULE.replace(
      'CommandLine|contains: "xmrig --donate"',
      "Image|endswith: /usr/bin/python3",
    ),
    "a port alone": RULE.replace('CommandLine|contains: "xmrig --donate"', "DestinationPort: 443"),
    "all but one": RULE.replace("condition: selection", "condition: not selection"),
    "one or anything": RULE.replace(
      "condition: selection",
      "other: { Image|startswith: / }\n  condition: selection or other",
    ),
    "a wide network": RULE.replace(
      'CommandLine|contains: "xmrig --donate"',
      "DestinationIp|cidr: 10.0.0.0/8",
    ),
    "too many tests": RULE.replace(
      'CommandLine|contains: "xmrig --donate"',
      `CommandLine|contains: [${Array.from({ length: 65 }, (_, i) => `longword${i}`)}]`,
    ),
  };
  for (const [name, text] of Object.entries(bad)) assertEquals(kind("rule", text), "rule", name);
  const long = `${RULE}# ${"x".repeat(ANTIBODY_RULE_BYTES_MAX)}\n`;
  assertEquals(kind("rule", long), "shape");
});

Deno.test("lintAntibody() refuses what is no antibody, and one under another id", () => {
  const good = blocking("port", "4444");
  const { reason: _, ...without } = good;
  const bad: readonly unknown[] = [
    null,
    7,
    [],
    {},
    without,
    { ...good, code: "rm -rf /" },
    { ...good, type: "code" },
    { ...good, action: "run" },
    { ...good, id: "0".repeat(32) },
    { ...good, evidence: [] },
    { ...good, evidence: Array(17).fill("0f".repeat(16)) },
    { ...good, reason: "a\nb" },
    { ...good, reason: "x".repeat(201) },
    { ...good, expiresMs: 1e300 },
    { ...good, expiresMs: "never" },
  ];
  for (const given of bad) assertEquals(lint(given)?.kind, "shape", JSON.stringify(given));
});

Deno.test("lintAntibody() answers for any value, and what it takes is bounded and in one form", () => {
  const value = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.ipV4(),
    fc.ipV6(),
    fc.domain(),
    fc.webPath(),
    fc.nat(70_000).map(String),
  );
  fc.assert(
    fc.property(fc.constantFrom(...ANTIBODY_TYPES), value, (type, text) => {
      const problem = lint(blocking(type, text));
      if (problem !== undefined) return;
      assert(text === text.trim() || type === "path");
      assert(text.length <= ANTIBODY_RULE_BYTES_MAX);
      assertEquals(
        lintAntibody(blocking(type, text), {
          nowMs: NOW_MS,
          own: {
            ...NO_OWN_THINGS,
            addresses: [text],
            domains: [text],
            folders: [text],
            hashes: [text],
          },
          rule: badRule,
        }) === undefined,
        type === "port" || type === "rule",
      );
    }),
    { numRuns: 2000 },
  );
});
