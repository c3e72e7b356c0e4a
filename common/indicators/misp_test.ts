import { assertEquals } from "@std/assert";
import { feedOf, problemsOf, valuesOf } from "./_feed_test_support.ts";

const MD5 = "9e107d9d372bb6826bd81d3542a419d6";
const SHA256 = "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592";

const EVENT = {
  Event: {
    uuid: "e1",
    info: "Miner on GPU hosts",
    threat_level_id: "2",
    Orgc: { name: "CIRCL-like" },
    Tag: [{ name: "tlp:clear" }],
    Attribute: [
      {
        uuid: "a1",
        type: "ip-dst",
        value: "192.0.2.1",
        to_ids: true,
        timestamp: "1767139200",
        Tag: [{ name: "c2" }],
        Sighting: [{}, {}, {}],
      },
      { uuid: "a2", type: "domain|ip", value: "evil.example|192.0.2.2", to_ids: "1" },
      { uuid: "a3", type: "filename|sha256", value: `x.bin|${SHA256}`, to_ids: true },
      { uuid: "a4", type: "ip-src|port", value: "192.0.2.3|22", to_ids: true },
      { uuid: "a5", type: "url", value: "hxxp://evil.example/a", to_ids: true },
      { uuid: "a6", type: "domain", value: "context.example", to_ids: false },
      { uuid: "a7", type: "md5", value: MD5, to_ids: true, deleted: true },
      { uuid: "a8", type: "yara", value: "rule x {}", to_ids: true },
      { uuid: "a9", type: "md5", value: "short", to_ids: true },
      { uuid: "a10", type: "md5", to_ids: true },
      null,
    ],
    Object: [
      {
        name: "file",
        Attribute: [
          { uuid: "o1", type: "filename", object_relation: "filename", value: "m", to_ids: false },
          { uuid: "o2", type: "md5", object_relation: "md5", value: MD5, to_ids: true },
          { uuid: "o3", type: "filename", value: "/dev/shm/m", to_ids: true },
        ],
      },
      { name: "file", deleted: true, Attribute: [{ type: "md5", value: MD5, to_ids: true }] },
      3,
    ],
  },
};

Deno.test("readMisp() reads attributes of an event and of its objects", async () => {
  const feed = await feedOf(EVENT);
  assertEquals(feed.format, "misp");
  assertEquals(valuesOf(feed), [
    "ipv4 192.0.2.1",
    "domain evil.example",
    "ipv4 192.0.2.2",
    `sha256 ${SHA256}`,
    "ipv4 192.0.2.3",
    "url http://evil.example/a",
    `md5 ${MD5}`,
    "path /dev/shm/m",
  ]);
  const [first] = feed.indicators;
  assertEquals(
    [first?.source, first?.id, first?.title, first?.severity, first?.labels, first?.sightings],
    ["CIRCL-like", "a1", "Miner on GPU hosts", "medium", ["c2", "tlp:clear"], 3],
  );
  assertEquals(first?.firstSeenMs, 1_767_139_200_000);
  assertEquals(feed.withdrawn, [{ source: "CIRCL-like", id: "a7" }]);
  assertEquals([...feed.skipped], [["to_ids is not set", 2], ["a deleted object", 1]]);
  assertEquals(problemsOf(feed), [
    'Event.Attribute[7]: Its type "yara" is none that is listed',
    'Event.Attribute[8]: Cannot list "short": it is not 32 hexadecimal digits',
    "Event.Attribute[9]: It has no type or no value",
    "Event.Attribute[10]: It is no object",
    "Event.Object[2]: It is no object",
  ]);
});

Deno.test("readMisp() reads a list of events, a search of events and one of attributes", async () => {
  const attribute = { uuid: "a1", type: "domain", value: "evil.example", to_ids: true };
  const event = { Event: { info: "x", Attribute: [attribute] } };
  const documents = [[event, event], { response: [event] }, {
    response: { Attribute: [attribute] },
  }];
  for (const document of documents) {
    const feed = await feedOf(document);
    assertEquals([feed.format, valuesOf(feed)[0]], ["misp", "domain evil.example"]);
  }
});
