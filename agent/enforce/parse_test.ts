import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ImmuneError } from "../../common/config/errors.ts";
import { parseEnforcement } from "./parse.ts";
import { ENTRIES_MAX } from "./policy.ts";

const OPTIONS = { file: "e.toml", homes: ["/root", "/home/ada"] };

function entry(rest: string): string {
  return `[[entry]]\nname = "a"\n${rest}\n`;
}

function refusal(text: string): string {
  const error = assertThrows(() => parseEnforcement(text, OPTIONS), ImmuneError);
  assertEquals(error.code, "CONFIG_INVALID");
  assert(!error.message.includes("\n"), error.message);
  return error.message.replace('Cannot use enforcement policy "', "");
}

Deno.test("parseEnforcement() reads every key", () => {
  const { entries, actionsPerMinute } = parseEnforcement(
    `actions_per_minute = 7
[[entry]]
name = "connections"
action = "connect"
mode = "block"
addresses = ["10.0.0.0/8", "::ffff:192.0.2.1", "fd00::1"]
ports = [80, "8000-8002"]
protocols = ["tcp"]
roles = ["mcp", "none"]
users = [1000]
sessions = ["0123456789abcdef"]
except_roles = ["notebook"]
except_users = [0]
except_programs = ["/usr/bin/curl"]
expires = 2030-01-01T00:00:00Z
severity = "critical"
[[entry]]
name = "programs"
action = "exec"
paths = ["/tmp/**", "~/bin/x", "/var//tmp/*"]
sha256 = ["${"AB".repeat(32)}"]
memory = true
`,
    OPTIONS,
  );
  const [first, second] = entries;
  assertEquals(actionsPerMinute, 7);
  assertEquals(first?.networks.map(({ address, prefix }) => `${address.toHex()}/${prefix}`), [
    "0a000000/8",
    "c0000201/32",
    "fd000000000000000000000000000001/128",
  ]);
  assertEquals(first?.ports, [{ from: 80, to: 80 }, { from: 8000, to: 8002 }]);
  assertEquals(first?.expiresMs, Date.UTC(2030, 0, 1));
  assertEquals([first?.mode, first?.severity], ["block", "critical"]);
  assertEquals(second?.trees, ["/tmp/", "/var/tmp/", "/memfd:"]);
  assertEquals(second?.paths, ["/root/bin/x", "/home/ada/bin/x"]);
  assertEquals(second?.sha256, ["ab".repeat(32)]);
  assertEquals([second?.mode, second?.severity], ["monitor", "medium"]);
});

Deno.test("parseEnforcement() says in one line where and why it refuses", () => {
  const exec = 'action = "exec"\npaths = ["/tmp/x"]';
  for (
    const [text, said] of [
      ["x = 1\n", 'e.toml:1": "x" is no key'],
      ["actions_per_minute = 0\n", 'e.toml:1": "actions_per_minute" must'],
      ["= 1", "e.toml:1"],
      [entry('action = "fly"'), 'e.toml:3": entry 1: "action" must be one of'],
      [entry(""), '"action" is missing'],
      [entry('action = "exec"'), "it names nothing"],
      [entry(`${exec}\nport = [1]`), 'e.toml:5": entry 1: "port" is no key; did you mean "ports"'],
      [entry(`${exec}\nports = [1]`), 'e.toml:5": entry 1: "ports" is for connect and bind'],
      [entry(`${exec}\nexcept_programs = ["/a"]`), "not for exec"],
      [entry('action = "exec"\npaths = ["tmp/x"]'), '"paths" has "tmp/x"; write absolute'],
      [entry('action = "exec"\npaths = ["/a/../b"]'), '"paths" has'],
      [entry('action = "exec"\npaths = ["/a*b"]'), '"paths" has'],
      [entry(`action = "exec"\npaths = ["/${"a".repeat(251)}"]`), '"paths" has'],
      [entry('action = "open"\npaths = ["/**"]'), "is everything"],
      [entry('action = "exec"\nfiles = ["/usr/sbin/sshd"]'), '"/usr/sbin/sshd" is protected'],
      [`protect = ["/opt/b"]\n${entry('action = "exec"\npaths = ["/opt/b"]')}`, "is protected"],
      [entry('action = "exec"\nsha256 = ["abc"]'), "64 hexadecimal"],
      [entry('action = "connect"\naddresses = ["10.0.0.1/8"]'), '"addresses" has'],
      [entry('action = "connect"\nports = ["9-8"]'), '"ports" has "9-8"'],
      [entry('action = "connect"\nports = [0]'), '"ports" has 0'],
      [entry('action = "connect"\nports = []'), "at least one value"],
      [entry(`${exec}\nexpires = "soon"`), '"expires" must be a time'],
      [entry(exec) + entry(exec), 'e.toml:5": two entries have the name'],
      ["[[entry]]\n".repeat(ENTRIES_MAX + 1), `${ENTRIES_MAX + 1} entries, at most`],
    ] as const
  ) assert(refusal(text).includes(said), `${refusal(text)} has no ${said}`);
});

Deno.test("parseEnforcement() raises nothing but ImmuneError, any text", () => {
  fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => {
    try {
      parseEnforcement(text, OPTIONS);
      parseEnforcement(entry(`action = "exec"\npaths = [${JSON.stringify(text)}]`), OPTIONS);
    } catch (error) {
      if (!(error instanceof ImmuneError)) throw error;
    }
  }));
});
