import { assert, assertEquals } from "@std/assert";
import { Journal } from "../../common/journal/mod.ts";
import {
  decodeRecords,
  type EcsContext,
  ecsDocument,
  makeRecord,
  type RecordView,
} from "../../common/record/mod.ts";
import { compileRules, type RuleInfo } from "../../common/sigma/mod.ts";
import { type Alert, alertSchema } from "../../common/wire/alert.ts";
import { LOSS_CAUSES } from "../../common/wire/mod.ts";
import { canMount, ran, unmount } from "../../tests/support/small_disk.ts";
import { makeAlert } from "./alert.ts";
import { JournalSink } from "./journal_sink.ts";

const CONTEXT: EcsContext = {
  hostId: "ab".repeat(32),
  hostName: "host",
  bootId: "cd".repeat(16),
  wallOffsetNs: 0n,
};

const [RULE] = compileRules([{
  path: "example.yml",
  text: `
title: Netcat
id: 6d6f9e0b-8a1d-4b6e-9f57-0c2f6d8e7a11
logsource: { category: process_creation, product: linux }
detection:
  selection: { Image|endswith: /nc }
  condition: selection
`,
}]).rules;

/** What a journal keeps of an alert on a record. */
function kept(record: RecordView, more: Partial<RuleInfo> = {}): Alert {
  assert(RULE !== undefined);
  const folder = Deno.makeTempDirSync({ prefix: "immune-sink-" });
  try {
    using journal = Journal.open(`${folder}/journal`);
    const sink = new JournalSink(journal, {
      epoch: 1,
      context: () => CONTEXT,
      bootTimeNs: () => 7n,
      onWarning: (message) => assert(false, message),
    });
    const program = { image: record.slot("exec", "image"), argv: record.slot("exec", "argv") };
    const alert = makeAlert({
      rule: { ...RULE, ...more },
      ruleSetHash: "ef".repeat(32),
      document: ecsDocument(record, { ...CONTEXT, parent: { ...program, cwd: undefined } }),
      record: { ...CONTEXT, epoch: 1, source: record.source, sequence: record.sequence },
    });
    sink.appendAlerts([alert], [record]);
    journal.flush();
    const documents = [...journal.read(1)].flatMap(({ records }) =>
      [...decodeRecords(records)].map((each) => each.slot("alert", "document"))
    );
    assertEquals(documents.length, 1);
    const document = JSON.parse(new TextDecoder().decode(documents[0])) as Alert;
    assert(alertSchema.safeParse(document).success);
    assertEquals([document.id, document.host], [alert.id, alert.host]);
    return document;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("JournalSink keeps an alert as it is, where it fits a record", () => {
  const image = "/usr/bin/nc";
  const record = makeRecord("exec", { header: { pid: 7 }, slots: { image, argv: "nc\0-l\0" } });
  const { process, labels } = kept(record);
  assertEquals([process?.executable, process?.args, labels], [image, ["nc", "-l"], undefined]);
});

Deno.test("JournalSink cuts an alert whose text grows sixfold as JSON, and says so", () => {
  // A byte that a file name may have and that JSON writes as six.
  const image = `/${"\x01".repeat(254)}`.repeat(16);
  const argv = "\x02".repeat(8191) + "\0";
  const record = makeRecord("exec", {
    header: { pid: 7 },
    slots: { image, argv, cwd: image, file_name: image },
  });
  const { process, labels } = kept(record);
  assertEquals([process?.pid, labels?.flags], [7, ["truncated"]]);
  assert(image.startsWith(process?.executable ?? "none"));
});

Deno.test("JournalSink cuts an alert of a rule that alone is too long, and of many arguments", () => {
  const record = makeRecord("exec", { slots: { image: "/nc", argv: "\0".repeat(8192) } });
  const title = "\x03".repeat(30_000);
  const { rule, labels } = kept(record, { title, description: title, tags: Array(9000).fill("a") });
  assert(title.startsWith(rule.title));
  assertEquals(labels?.flags, ["truncated"]);
});

Deno.test({
  name: "JournalSink on a full disk warns once, counts what is kept, and says when it goes on",
  ignore: !canMount(),
  fn: () => {
    const disk = Deno.makeTempDirSync();
    assert(ran("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk));
    try {
      const ballast = `${disk}/ballast`;
      Deno.writeFileSync(ballast, new Uint8Array(32 * 1024));
      using journal = Journal.open(`${disk}/journal`);
      const warnings: string[] = [];
      const sink = new JournalSink(journal, {
        epoch: 1,
        context: () => CONTEXT,
        bootTimeNs: () => 7n,
        onWarning: (message) => warnings.push(message),
      });
      const { bytes } = makeRecord("exec", { slots: { image: "/".repeat(4000) } });
      const append = (): void => sink.append(bytes, { recordCount: 1, losses: [] });
      for (let i = 0; i < 30; i++) append();
      const kept = sink.appended;
      assert(kept > 0 && kept < 30, `${kept} of 30 were kept`);
      assertEquals([warnings.length, warnings[0]?.includes("No space left")], [1, true]);
      Deno.removeSync(ballast);
      append();
      assertEquals([sink.appended, warnings.length], [kept + 1, 2]);
      assert(warnings[1]?.includes("takes records again"), warnings[1]);
      journal.flush();
      const losses = [...journal.read(1)].flatMap(({ info }) => info.losses);
      assertEquals(losses.reduce((sum, loss) => sum + loss.count, 0), 30 - kept);
      assert(losses.every((loss) => loss.cause === LOSS_CAUSES.journal_unwritable));
    } finally {
      assert(unmount(disk));
      Deno.removeSync(disk);
    }
  },
});
