import { createHash } from "node:crypto";
import type { Alert } from "../../common/wire/mod.ts";

/** Unix time in milliseconds of the first alert. */
export const START_MS = Date.UTC(2026, 4, 5, 6);

/** An alert of a host, as its agent makes it. */
export interface SampleAlert {
  /** One character, which its host id is made of. */
  readonly host: string;
  readonly rule: string;
  /** After the first one, in milliseconds. */
  readonly atMs?: number;
  readonly command?: string;
  readonly user?: string;
  readonly level?: Alert["severity"];
  readonly tags?: readonly string[];
  readonly ip?: string;
}

/** An alert with an id that its parts give. */
export function sample(alert: SampleAlert): Alert {
  const { host, rule, atMs = 0, command = "x", user = "ann", level = "high", tags = [] } = alert;
  return {
    id: createHash("md5").update(JSON.stringify(alert)).digest("hex"),
    time: new Date(START_MS + atMs).toISOString(),
    host: { id: host.repeat(64), name: `gpu-${host}` },
    rule: { id: rule, title: rule, tags },
    severity: level,
    event: { kind: "alert", action: "exec" },
    process: { pid: 7, entity_id: "e1", executable: "/bin/sh", command_line: command },
    user: { id: "1000", name: user },
    ...(alert.ip === undefined ? {} : { destination: { ip: alert.ip, port: 443 } }),
  } as unknown as Alert;
}

/** Rules `a` and `b`, and correlations over hosts that a test brings. */
export function rulesWith(...correlations: readonly string[]): string {
  const rules = ["a", "b"].map((name) =>
    `title: ${name}\nid: ${name}\nname: rule_${name}\nlogsource: { product: linux }\n` +
    "detection: { s: { Image: /x }, condition: s }\n"
  );
  return [...rules, ...correlations].join("---\n");
}

/** The same command line on three hosts within an hour. */
export const THREE_HOSTS = `
title: Three hosts
id: three
level: critical
description: The same on three
tags: [attack.execution]
correlation:
  type: value_count
  rules: [rule_a]
  group-by: [RuleId, CommandLine]
  timespan: 1h
  condition: { field: HostId, gte: 3 }
immune: { scope: fleet }
`;
