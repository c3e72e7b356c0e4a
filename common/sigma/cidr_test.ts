import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseCidr } from "./cidr.ts";

Deno.test("parseCidr() reads networks of both families", () => {
  const cases: readonly (readonly [string, readonly number[], number])[] = [
    ["10.0.0.0/8", [10, 0, 0, 0], 8],
    ["192.168.1.255", [192, 168, 1, 255], 32],
    ["0.0.0.0/0", [0, 0, 0, 0], 0],
    ["::/0", Array<number>(16).fill(0), 0],
    ["::1", [...Array<number>(15).fill(0), 1], 128],
    ["fe80::/10", [0xFE, 0x80, ...Array<number>(14).fill(0)], 10],
    ["::ffff:10.0.0.0/104", [...Array<number>(10).fill(0), 255, 255, 10, 0, 0, 0], 104],
    ["1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8], 128],
  ];
  for (const [text, address, prefix] of cases) {
    assertEquals(parseCidr(text), { address: Uint8Array.from(address), prefix }, text);
  }
});

Deno.test("parseCidr() says why a text is no network", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", "is no network"],
    ["10.0.0/8", "is no network"],
    ["10.0.0.256/32", "is no network"],
    ["10.*", "is no network"],
    ["1::2::3", "is no network"],
    ["1:2:3:4:5:6:7:8::", "is no network"],
    ["1:2:3:4:5:6:7", "is no network"],
    ["10.0.0.0/8/9", "is no network"],
    ["10.0.0.0/", "no prefix length"],
    ["10.0.0.0/x", "no prefix length"],
    ["10.0.0.0/33", "more than 32 bits"],
    ["::/129", "more than 128 bits"],
    ["10.0.0.1/8", "behind its prefix"],
    ["fe80::1/64", "behind its prefix"],
  ];
  for (const [text, part] of cases) {
    const found = parseCidr(text);
    assert(typeof found === "string" && found.includes(part), `${text}: ${JSON.stringify(found)}`);
  }
});

Deno.test("parseCidr() reads any IPv6 address, however it is shortened", () => {
  fc.assert(fc.property(fc.ipV6(), (text) => {
    const network = parseCidr(text);
    assert(typeof network !== "string", String(network));
    const groups = Array.from(
      { length: 8 },
      (_, i) =>
        ((network.address[i * 2] ?? 0) << 8 | (network.address[i * 2 + 1] ?? 0)).toString(16),
    );
    // The URL parser has an address parser of its own.
    const whole = new URL(`http://[${groups.join(":")}]`).hostname;
    assertEquals(new URL(`http://[${text}]`).hostname, whole);
  }));
});
