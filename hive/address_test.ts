import { assertEquals, assertThrows } from "@std/assert";
import { ImmuneError } from "../common/config/errors.ts";
import { addressText, isLoopback, parseAddress } from "./address.ts";

Deno.test("parseAddress() reads names, IPv4 and IPv6, and addressText() writes them back", () => {
  for (const text of ["127.0.0.1:9999", "localhost:0", "[::1]:9997", "hive.example:65535"]) {
    assertEquals(addressText(parseAddress(text)), text);
  }
  assertEquals(parseAddress("[::1]:9997"), { hostname: "::1", port: 9997 });
});

Deno.test("parseAddress() refuses what is no HOST:PORT", () => {
  for (const text of ["", "9999", ":9999", "host", "host:", "::1:9999", "host:65536", "a b:1"]) {
    assertThrows(() => parseAddress(text), ImmuneError);
  }
});

Deno.test("isLoopback() is true for what only this host reaches", () => {
  for (const name of ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST"]) {
    assertEquals([name, isLoopback(name)], [name, true]);
  }
  for (
    const name of [
      "0.0.0.0",
      "::",
      "10.0.0.1",
      "128.0.0.1",
      "127.0.0.1.example.com",
      "127.example.com.x",
      "127.0.0.999",
      "localhost.example.com",
      "::ffff:127.0.0.1",
    ]
  ) {
    assertEquals([name, isLoopback(name)], [name, false]);
  }
});
