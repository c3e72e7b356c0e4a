import { KINDS, SOURCES } from "../../common/record/mod.ts";
import { assert, assertEquals } from "@std/assert";
import { errorSchema } from "../../common/link/protocol.ts";
import { type Loss, SCAN_CLASSES, TABLE_KIND } from "../../common/wire/mod.ts";
import {
  AGENT_ID,
  alertOf,
  healthRecord,
  HOST_ID,
  NOON_MS,
  openTestHive,
  processRecord,
  type TestProcess,
} from "./_test_support.ts";
import { BODY_BYTES_MAX, CONTENT_SECURITY_POLICY } from "./mod.ts";
import { CPUS_NAMED_MAX } from "./sensor_view.ts";
import { agentsSchema, alertsSchema, eventsSchema, statsSchema, statusSchema } from "./schemas.ts";

const SHELL: TestProcess = {
  pid: 700,
  bootS: 3590,
  image: "/usr/bin/bash",
  argv: ["bash", "-c", ": /dev/tcp/127.0.0.1/4444"],
};

const RING_FULL: Loss = {
  cause: 1,
  kind: 18,
  source: 0x4000,
  certain: true,
  count: 12,
  first: 900,
};

async function errorOf(response: Response): Promise<string> {
  return errorSchema.parse(await response.json()).error.code;
}

Deno.test("createApi() asks for credentials on every route but health and login", async () => {
  await using hive = await openTestHive();
  for (
    const path of [
      "/api/v1/status",
      "/api/v1/agents",
      "/api/v1/alerts",
      `/api/v1/alerts/${"0".repeat(32)}`,
      "/api/v1/events",
      "/api/v1/stats",
      "/api/v1/openapi.json",
      "/metrics",
    ]
  ) {
    const response = await hive.api.request(path);
    assertEquals([path, response.status], [path, 401]);
    assertEquals(await errorOf(response), "AUTH_REQUIRED");
    assert(response.headers.get("WWW-Authenticate")?.startsWith("Bearer"));
  }
  assertEquals((await hive.api.request("/health")).status, 200);
});

Deno.test("createApi() refuses a token that is not ours", async () => {
  await using hive = await openTestHive();
  for (const token of ["x", `${hive.token}x`, hive.token.slice(1), ""]) {
    const headers = { authorization: `Bearer ${token}` };
    const response = await hive.api.request("/api/v1/status", { headers });
    assertEquals(response.status, 401);
  }
  const basic = { authorization: `Basic ${btoa(`x:${hive.token}`)}` };
  assertEquals((await hive.api.request("/health", { headers: basic })).status, 401);
});

Deno.test("createApi() gives status, agents and ledgers of what was stored", async () => {
  await using hive = await openTestHive();
  const made = [processRecord("exec", SHELL), alertOf(SHELL).record, healthRecord()];
  await hive.deliver(made, [RING_FULL]);
  const status = statusSchema.parse(await (await hive.get("/api/v1/status")).json());
  assertEquals(status, {
    version: "9.9.9",
    startedAt: new Date(NOON_MS).toISOString(),
    agents: { enrolled: 1, online: 1 },
    records: 3,
    events: 1,
    alertsToday: 1,
    activePatterns: 42,
    sensor: { kinds: [], places: [], tables: [], missed: [], detached: [], tiers: [] },
  });
  const { agents } = agentsSchema.parse(await (await hive.get("/api/v1/agents")).json());
  assertEquals(
    agents.map(({ id, hostName, online, ledger }) => ({ id, hostName, online, ledger })),
    [{
      id: AGENT_ID,
      hostName: "gpu-01",
      online: true,
      ledger: {
        position: 3,
        made: 15,
        stored: 3,
        lost: 12,
        certain: true,
        losses: [{ cause: "ring_full", count: 12, certain: true }],
      },
    }],
  );
});

Deno.test("createApi() shows an agent offline after its last batch is old", async () => {
  await using hive = await openTestHive();
  await hive.deliver([processRecord("exec", SHELL)]);
  const online = async (): Promise<unknown> => {
    const { agents } = statusSchema.parse(await (await hive.get("/api/v1/status")).json());
    return agents.online;
  };
  hive.clock.advance(119_000);
  assertEquals(await online(), 1);
  hive.clock.advance(2000);
  assertEquals(await online(), 0);
});

Deno.test("createApi() gives alerts as they were made, newest first, in pages", async () => {
  await using hive = await openTestHive();
  const made = Array.from(
    { length: 7 },
    (_, i) =>
      alertOf({ ...SHELL, pid: 700 + i, bootS: 3500 + i }, {
        severity: i % 2 === 0 ? "high" : "low",
      }),
  );
  await hive.deliver(made.map(({ record }) => record));
  const newestFirst = made.map(({ alert }) => alert).reverse();
  const seen: unknown[] = [];
  let next: string | null = null;
  let pages = 0;
  do {
    const before: string = next === null ? "" : `&before=${encodeURIComponent(next)}`;
    const page = alertsSchema.parse(
      await (await hive.get(`/api/v1/alerts?limit=3${before}`)).json(),
    );
    seen.push(...page.alerts);
    next = page.next;
    pages++;
  } while (next !== null && pages < 9);
  assertEquals(seen, newestFirst as unknown[]);
  assertEquals(pages, 3);
  const low = alertsSchema.parse(await (await hive.get("/api/v1/alerts?severity=low")).json());
  assertEquals(low.alerts.length, 3);
  const one = await hive.get(`/api/v1/alerts/${newestFirst[2]?.id}`);
  assertEquals(await one.json(), newestFirst[2]);
});

Deno.test("createApi() looks back as far as it is asked to", async () => {
  await using hive = await openTestHive();
  const old = alertOf({ ...SHELL, pid: 1, bootS: 10 });
  const fresh = alertOf({ ...SHELL, pid: 2, bootS: 3595 });
  await hive.deliver([old.record, fresh.record]);
  const ids = async (query: string): Promise<string[]> => {
    const page = alertsSchema.parse(await (await hive.get(`/api/v1/alerts?${query}`)).json());
    return page.alerts.map(({ id }) => id);
  };
  assertEquals(await ids("last=10m"), [fresh.alert.id]);
  assertEquals(await ids("last=24h"), [fresh.alert.id, old.alert.id]);
  assertEquals(await ids(`host=${HOST_ID}`), [fresh.alert.id, old.alert.id]);
  assertEquals(await ids(`host=${"0".repeat(64)}`), []);
});

Deno.test("createApi() refuses queries that do not hold and names what", async () => {
  await using hive = await openTestHive();
  for (
    const [query, name] of [
      ["limit=0", "limit"],
      ["limit=1001", "limit"],
      ["limit=x", "limit"],
      ["last=24", "last"],
      ["last=1w", "last"],
      ["severity=bad", "severity"],
      ["host=gpu-01", "host"],
    ] as const
  ) {
    const response = await hive.get(`/api/v1/alerts?${query}`);
    assertEquals([query, response.status], [query, 400]);
    const { error } = errorSchema.parse(await response.json());
    assertEquals(error.code, "INPUT_MALFORMED");
    assert(error.message.includes(`"${name}"`), error.message);
  }
  const cursor = await hive.get("/api/v1/alerts?before=nonsense");
  assertEquals([cursor.status, await errorOf(cursor)], [400, "INPUT_MALFORMED"]);
});

Deno.test("createApi() gives events as ECS documents, without context and alerts", async () => {
  await using hive = await openTestHive();
  const child: TestProcess = {
    ...SHELL,
    pid: 701,
    bootS: 3591,
    parent: SHELL,
    image: "/usr/bin/id",
    argv: ["id"],
  };
  await hive.deliver([
    processRecord("process", SHELL),
    processRecord("exec", child),
    alertOf(child).record,
  ]);
  const found = eventsSchema.parse(await (await hive.get("/api/v1/events?last=1h")).json());
  assertEquals(found.truncated, false);
  assertEquals(found.events.length, 1);
  const event = found.events[0] as unknown as {
    host: { name: string };
    process: { command_line: string; parent: { executable: string } };
  };
  assertEquals(event.host.name, "gpu-01");
  assertEquals(event.process.command_line, "id");
  assertEquals(event.process.parent.executable, "/usr/bin/bash");
  const none = eventsSchema.parse(await (await hive.get("/api/v1/events?action=connect")).json());
  assertEquals(none.events, []);
});

Deno.test("createApi() says when there are more events than asked for", async () => {
  await using hive = await openTestHive();
  await hive.deliver([1, 2, 3].map((pid) => processRecord("exec", { ...SHELL, pid })));
  const found = eventsSchema.parse(await (await hive.get("/api/v1/events?limit=2&last=1h")).json());
  assertEquals([found.events.length, found.truncated], [2, true]);
});

Deno.test("createApi() gives totals with what was refused", async () => {
  await using hive = await openTestHive({
    refused: () => Promise.resolve({ no_certificate: 3, tls_version: 0 }),
  });
  await hive.deliver([alertOf(SHELL, { severity: "critical" }).record], [RING_FULL]);
  const stats = statsSchema.parse(await (await hive.get("/api/v1/stats")).json());
  assertEquals(stats.alertsBySeverity, { critical: 1 });
  assertEquals(stats.lossesByCause, { ring_full: 12 });
  assertEquals(stats.refused, { no_certificate: 3, tls_version: 0 });
});

Deno.test("createApi() tells what correlation over hosts did, in figures and in metrics", async () => {
  const counters = {
    matched: 2,
    repeated: 0,
    ungrouped: 0,
    valueless: 0,
    untimed: 0,
    late: 0,
    hitsDropped: 0,
    evictedGroups: 3,
    evictedBytes: 1,
  };
  const state = {
    groups: 5,
    bytes: 900,
    matchesDropped: 0,
    rules: new Map([["one", counters], ["two", counters]]),
  };
  const counted = { alerts: 7, ahead: 0, raised: 4, position: 9, correlations: 2, state };
  await using hive = await openTestHive({ detection: () => Promise.resolve(counted) });
  const { detection } = statsSchema.parse(await (await hive.get("/api/v1/stats")).json());
  assertEquals([detection?.raised, detection?.groups, detection?.rules["two"]], [4, 5, counters]);
  const text = await (await hive.get("/metrics")).text();
  assert(text.includes('immune_fleet_correlation_total{what="raised"} 4'));
  assert(text.includes('immune_fleet_correlation_total{what="evicted_groups"} 6'));
});

const OPENS = {
  kind: KINDS.open.id,
  seen: 21,
  submitted: 1,
  filtered: 2,
  folded: 3,
  ringFull: 4,
  oversized: 5,
  unreadable: 6,
};

const LSM = {
  tier: "lsm",
  judged: 10,
  refused: 1,
  monitored: 2,
  capped: 3,
  failed: 4,
} as const;

Deno.test("createApi() tells what the sensors counted, of each host and of all", async () => {
  await using hive = await openTestHive();
  const missed = [{ program: "on_exec", count: 4 }];
  const tiers = [LSM];
  const detached = [{ program: "on_exit", count: 1 }];
  const { kind: _, ...counts } = OPENS;
  const places = [
    { ...OPENS, source: 0x4003 },
    { ...OPENS, source: 0x4000 + CPUS_NAMED_MAX },
    { ...OPENS, source: 0x4000 + CPUS_NAMED_MAX + 1 },
    { ...OPENS, kind: TABLE_KIND, source: 0 },
  ];
  await hive.deliver([healthRecord({ tallies: [OPENS], missed, tiers, places, detached })]);
  await hive.deliver([healthRecord({ tallies: [OPENS] })]);
  const opens = {
    kind: "open",
    seen: 42,
    submitted: 2,
    filtered: 4,
    folded: 6,
    ringFull: 8,
    oversized: 10,
    unreadable: 12,
  };
  const status = statusSchema.parse(await (await hive.get("/api/v1/status")).json());
  const known = {
    kinds: [opens],
    places: [
      { kind: "open", cpu: 3, part: null, ...counts },
      // What an agent says of more CPUs than are told apart makes no view longer.
      { ...opens, cpu: null, part: "other" },
    ],
    tables: [{ table: "processes", ...counts }],
    missed,
    detached,
    tiers: [{ ...LSM, hosts: 0 }],
  };
  assertEquals(status.sensor, known);
  const { agents } = agentsSchema.parse(await (await hive.get("/api/v1/agents")).json());
  assertEquals(agents[0]?.sensor, known);
  await hive.deliver([healthRecord({ tiers })]);
  const again = statusSchema.parse(await (await hive.get("/api/v1/status")).json());
  assertEquals(again.sensor.tiers, [{
    tier: "lsm",
    hosts: 1,
    judged: 20,
    refused: 2,
    monitored: 4,
    capped: 6,
    failed: 8,
  }]);
});

Deno.test("createApi() gives metrics in the Prometheus text format", async () => {
  await using hive = await openTestHive({ refused: () => Promise.resolve({ no_certificate: 3 }) });
  const scans = [2, 0, 1, ...Array.from({ length: SCAN_CLASSES - 4 }, () => 0), 1];
  await hive.deliver([
    processRecord("exec", SHELL),
    alertOf(SHELL).record,
    healthRecord({
      scans,
      scanTimeNs: 1_500_000_000,
      tallies: [OPENS],
      missed: [{ program: "on_exec", count: 4 }],
      places: [
        { ...OPENS, source: 0x4003 },
        { ...OPENS, source: SOURCES.watch },
        { ...OPENS, kind: TABLE_KIND, source: 0 },
      ],
      detached: [{ program: "on_exit", count: 1 }],
    }),
  ], [RING_FULL]);
  await hive.deliver([healthRecord({ tiers: [LSM] })]);
  await hive.deliver([healthRecord({ scans: [1], scanTimeNs: 500_000_000 })]);
  const response = await hive.get("/metrics");
  assertEquals(response.headers.get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  for (
    const line of [
      "immune_agents_online 1",
      'immune_threats_detected_total{type="high"} 1',
      'immune_threats_detected_total{type="critical"} 0',
      "immune_syscalls_intercepted_total 1",
      'immune_events_lost_total{cause="ring_full"} 12',
      'immune_events_lost_total{cause="sequence_gap"} 0',
      'immune_refused_total{reason="no_certificate"} 3',
      'immune_sensor_events_total{kind="open",outcome="seen"} 21',
      'immune_sensor_events_total{kind="open",outcome="folded"} 3',
      'immune_sensor_events_total{kind="open",outcome="ring_full"} 4',
      'immune_sensor_lost_total{kind="open",cpu="3",cause="ring_full"} 4',
      'immune_sensor_lost_total{kind="open",part="watch",cause="oversized"} 5',
      'immune_sensor_table_entries_total{table="processes",outcome="ring_full"} 4',
      'immune_sensor_runs_missed_total{program="on_exec"} 4',
      'immune_sensor_detached_total{program="on_exit"} 1',
      'immune_enforcement_acts_total{tier="lsm",outcome="judged"} 10',
      'immune_enforcement_acts_total{tier="lsm",outcome="refused"} 1',
      'immune_enforcement_hosts{tier="lsm"} 0',
      'immune_scan_latency_seconds_bucket{le="0.00005"} 3',
      'immune_scan_latency_seconds_bucket{le="0.00025"} 4',
      'immune_scan_latency_seconds_bucket{le="0.1"} 4',
      'immune_scan_latency_seconds_bucket{le="+Inf"} 5',
      "immune_scan_latency_seconds_sum 2",
      "immune_scan_latency_seconds_count 5",
    ]
  ) {
    assert(text.split("\n").includes(line), `${line} is not in\n${text}`);
  }
  const families = text.match(/^# TYPE \S+ (?:gauge|counter|histogram)$/gm) ?? [];
  assertEquals(families.length, text.match(/^# HELP /gm)?.length);
  for (const line of text.trimEnd().split("\n").filter((line) => !line.startsWith("#"))) {
    assert(
      /^immune_[a-z_]+(?:\{[a-z]+="[^"\n]*"(?:,[a-z]+="[^"\n]*")*\})? \d+(?:\.\d+)?$/.test(line),
      line,
    );
  }
});

Deno.test("createApi() describes itself: every route, with its errors", async () => {
  await using hive = await openTestHive();
  const description = await (await hive.get("/api/v1/openapi.json")).json();
  assertEquals(description.openapi, "3.1.0");
  const names = description.paths["/api/v1/alerts"].get.parameters
    .map(({ name }: { name: string }) => name);
  assertEquals(names.sort(), ["before", "host", "last", "limit", "severity"]);
  for (const methods of Object.values(description.paths)) {
    for (const route of Object.values(methods as Record<string, { responses: object }>)) {
      const codes = Object.keys(route.responses).filter((code) => code !== "202");
      assertEquals(codes.sort(), ["200", "default"]);
    }
  }
});

Deno.test("createApi() answers unknown routes and objects in the form of an error", async () => {
  await using hive = await openTestHive();
  for (const path of ["/api/v1/none", `/api/v1/alerts/${"0".repeat(32)}`]) {
    const response = await hive.get(path);
    assertEquals([response.status, await errorOf(response)], [404, "NOT_FOUND"]);
  }
  const id = await hive.get("/api/v1/alerts/..%2f..");
  assertEquals([id.status, await errorOf(id)], [400, "INPUT_MALFORMED"]);
});

Deno.test("createApi() keeps the text of a defect inside and tells it to the log", async () => {
  await using hive = await openTestHive({
    refused: () => Promise.reject(new Error("secret path /x")),
  });
  const response = await hive.get("/api/v1/stats");
  assertEquals(response.status, 500);
  const text = await response.text();
  assert(!text.includes("secret"), text);
  assertEquals(errorSchema.parse(JSON.parse(text)).error.code, "INTERNAL");
  assert(hive.lines.some((line) => line.includes("secret path /x")));
});

Deno.test("createApi() says why when the store is gone", async () => {
  await using hive = await openTestHive();
  await hive.store.close();
  const response = await hive.get("/api/v1/alerts");
  assertEquals([response.status, await errorOf(response)], [500, "STORE_FAILED"]);
  assertEquals(hive.lines.length, 1);
});

Deno.test("createApi() puts security headers on every answer", async () => {
  await using hive = await openTestHive();
  const answers = [
    await hive.api.request("/login"),
    await hive.api.request("/none"),
    await hive.get("/api/v1/status"),
    await hive.get("/api/v1/alerts?limit=0"),
  ];
  for (const { headers } of answers) {
    assertEquals(headers.get("Content-Security-Policy"), CONTENT_SECURITY_POLICY);
    assertEquals(headers.get("X-Content-Type-Options"), "nosniff");
    assertEquals(headers.get("Cache-Control"), "no-store");
    assertEquals(headers.get("Strict-Transport-Security"), null);
  }
  assert(!/unsafe|https?:|\*/.test(CONTENT_SECURITY_POLICY), CONTENT_SECURITY_POLICY);
});

Deno.test("createApi() takes no long bodies", async () => {
  await using hive = await openTestHive();
  const response = await hive.api.request("/login", {
    method: "POST",
    body: `code=${"a".repeat(BODY_BYTES_MAX)}`,
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      origin: "http://localhost",
    },
  });
  assertEquals([response.status, await errorOf(response)], [400, "INPUT_MALFORMED"]);
});
