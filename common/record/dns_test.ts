import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { DNS_ANSWER as ANSWER } from "./_dns_test_support.ts";
import { answeredAddresses } from "./dns.ts";

Deno.test("answeredAddresses() finds both kinds of addresses behind an alias", () => {
  assertEquals(answeredAddresses(ANSWER), ["203.0.113.7", "2001:db8::7"]);
});

Deno.test("answeredAddresses() gives what comes before the cut of a message", () => {
  assertEquals(answeredAddresses(ANSWER.subarray(0, ANSWER.length - 1)), ["203.0.113.7"]);
  assertEquals(answeredAddresses(ANSWER.subarray(0, 11)), []);
  assertEquals(answeredAddresses(new Uint8Array()), []);
});

Deno.test("answeredAddresses() ends on any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1024 }), fc.nat(255), (bytes, count) => {
      const message = new Uint8Array([0, 0, 0x81, 0x80, 0, 1, 0, count, ...bytes]);
      return answeredAddresses(message).length <= 32;
    }),
  );
});
