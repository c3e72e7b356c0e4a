import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Engine } from "./engine.ts";

const engine = await Engine.create();

function mask(text: string): string {
  const bytes = new TextEncoder().encode(text);
  engine.maskText(bytes);
  return new TextDecoder().decode(bytes);
}

/** In `expected`, `#` stands for each overwritten byte. */
const SECRETS: readonly (readonly [text: string, expected: string])[] = [
  ["mysql\0--password\0hunter2\0-h\0db\0", "mysql\0--password\0#######\0-h\0db\0"],
  ["mysql --password hunter2 -h db", "mysql --password ####### -h db"],
  ["x\0--password=a b\0y", "x\0--password=###\0y"],
  ["x --token=abc y", "x --token=### y"],
  ["x --api-key 'a b' y", "x --api-key '###' y"],
  ["x -token abc", "x -token ###"],
  ["x --hf-token abc", "x --hf-token ###"],
  ["PGPASSWORD=abc psql", "PGPASSWORD=### psql"],
  ["env\0OPENAI_API_KEY=abc\0python\0", "env\0OPENAI_API_KEY=###\0python\0"],
  ['export AWS_SECRET_ACCESS_KEY="a b"; id', 'export AWS_SECRET_ACCESS_KEY="###"; id'],
  ["export A_TOKEN=abc; id", "export A_TOKEN=###; id"],
  ["https://x.org/?api_key=abc&page=2", "https://x.org/?api_key=###&page=2"],
  ["curl -H 'Authorization: Bearer abc' u", "curl -H 'Authorization: Bearer ###' u"],
  ["curl\0-H\0authorization:Basic abc==\0u", "curl\0-H\0authorization:Basic #####\0u"],
  ["curl -H 'Authorization: abc'", "curl -H 'Authorization: ###'"],
  ["curl -H 'X-Api-Key: abc'", "curl -H 'X-Api-Key: ###'"],
  ['curl -d \'{"password": "abc"}\'', 'curl -d \'{"password": "###"}\''],
  ["git clone https://user:pa@ss@host/x", "git clone https://user:#####@host/x"],
  ["psql\0postgres://u:abc@db:5432/x\0", "psql\0postgres://u:###@db:5432/x\0"],
  [`x sk-${"a".repeat(20)} y`, `x sk-${"#".repeat(20)} y`],
  [`x sk-ant-api03-${"a_-".repeat(8)} y`, `x sk-ant-${"#".repeat(30)} y`],
  [`x=ghp_${"A1".repeat(18)};`, `x=ghp_${"#".repeat(36)};`],
  [`github_pat_${"A1_".repeat(8)}`, `github_pat_${"#".repeat(24)}`],
  [`xoxb-${"12-".repeat(5)}`, `xoxb-${"#".repeat(15)}`],
  ["AKIAIOSFODNN7EXAMPLE", `AKIA${"#".repeat(16)}`],
  ["ASIAIOSFODNN7EXAMPLE", `ASIA${"#".repeat(16)}`],
  [`hf_${"aB".repeat(10)}`, `hf_${"#".repeat(20)}`],
  [`glpat-${"aB".repeat(10)}`, `glpat-${"#".repeat(20)}`],
  [`eyJ${"aB".repeat(10)}.eyJ1.x-_`, `eyJ${"#".repeat(29)}`],
  [
    "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----#####-----END RSA PRIVATE KEY-----",
  ],
  ["-----BEGIN PRIVATE KEY-----abc\0next", "-----BEGIN PRIVATE KEY-----###\0next"],
];

Deno.test("mask_text() overwrites each kind of secret, and nothing beside it", () => {
  for (const [text, expected] of SECRETS) {
    assertEquals(mask(text), expected.replaceAll("#", "*"), text);
  }
});

Deno.test("mask_text() leaves alone what is no secret", () => {
  const texts = [
    "ls -la /tmp",
    "python -m sk-learn --epochs 3",
    "bash -c ': /dev/tcp/127.0.0.1/4444'",
    "x --password --verbose",
    "x --password",
    "PWD=/root HOME=/root id",
    "curl https://host:8080/a@b",
    "ssh user@host",
    "vllm serve --max-tokens 4096 --tokenizer abc",
    "openssl --tls-key /etc/key.pem",
    "echo hf_x AKIA eyJ ghp_ sk-",
  ];
  for (const text of texts) assertEquals(mask(text), text);
});

Deno.test("mask_text() keeps length and NULs, counts its bytes, and has nothing left to do", () => {
  const piece = fc.oneof(
    fc.constantFrom(...SECRETS.map(([text]) => text)),
    fc.string({ maxLength: 8 }),
    fc.constantFrom("\0", " ", "=", ":", "://", "@", "--token", "PASSWORD=", '"', "'", "\\"),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }).map((parts) => parts.join("")), (text) => {
      const before = new TextEncoder().encode(text);
      const after = before.slice();
      const changed = engine.maskText(after);
      const differing = before.filter((byte, i) => byte !== after[i]);
      assertEquals(differing.length, changed);
      assert(before.every((byte, i) => byte === after[i] || (byte !== 0 && after[i] === 0x2A)));
      assertEquals(engine.maskText(after.slice()), 0);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("mask_text() takes time that grows with the text, not with its square", () => {
  const pieces = ["://", "eyJ", "sk-", "-----BEGIN ", "a=", "token:", "--token ", "'", ":@", "A"];
  for (const piece of pieces) {
    const bytes = new TextEncoder().encode(piece.repeat(Math.floor(60_000 / piece.length)));
    const start = performance.now();
    for (let i = 0; i < 20; i++) engine.maskText(bytes.slice());
    // 20 times 60 KB: some 20 ms; a square would take over 10 s.
    assert(performance.now() - start < 2000, piece);
  }
});
