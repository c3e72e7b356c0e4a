/** A shape that keys and passwords have. */
interface Shape {
  readonly name: string;
  readonly pattern: RegExp;
}

// Shapes that are published by those who give the keys out; each pattern is bounded and linear.
const SHAPES: readonly Shape[] = [
  { name: "a private key", pattern: /-----BEGIN [A-Z ]{0,32}(?:PRIVATE KEY|CERTIFICATE)/ },
  { name: "an AWS key id", pattern: /(?:AKIA|ASIA|AGPA|AROA)[0-9A-Z]{16}/ },
  { name: "a GitHub token", pattern: /gh[pousr]_[0-9A-Za-z]{20}|github_pat_[0-9A-Za-z_]{20}/ },
  { name: "a GitLab token", pattern: /glpat-[0-9A-Za-z_-]{16}/ },
  { name: "a Slack token", pattern: /xox[abeoprs]-[0-9A-Za-z-]{10}/ },
  { name: "a Google key", pattern: /AIza[0-9A-Za-z_-]{30}|ya29\.[0-9A-Za-z_-]{20}/ },
  { name: "an API key", pattern: /(?:^|[^0-9A-Za-z])(?:sk|pk|rk)[-_][0-9A-Za-z_-]{16}/ },
  { name: "a Hugging Face token", pattern: /(?:^|[^0-9A-Za-z])hf_[0-9A-Za-z]{20}/ },
  { name: "a JSON Web Token", pattern: /eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\./ },
  { name: "credentials of a header", pattern: /(?:bearer|basic)\s+[0-9A-Za-z+/=._~-]{12}/i },
  { name: "credentials of a URL", pattern: /[a-z]{2,16}:\/\/[^\s/:@]{1,64}:[^\s/@]{1,128}@/i },
  {
    name: "a named secret",
    pattern:
      /(?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|access[-_]?key|credentials?)["']?\s{0,4}[=:]\s{0,4}["']?[^\s"'*]{6}/i,
  },
  { name: "an option with a secret", pattern: /--?(?:password|token|secret|api-key)[= ]\S{6}/i },
  { name: "a password hash", pattern: /\$(?:1|2[abxy]|5|6|7|y|argon2id?)\$[0-9A-Za-z./$=,+]{12}/ },
];

/** Bits of Shannon entropy a character from which on a long run is taken for a key. */
const RUN_BITS = 4.2;

/**
 * What credential a text looks like.
 *
 * @param text Any text.
 * @returns Words for people, or `undefined` when it looks like none.
 */
export function credentialIn(text: string): string | undefined {
  const shape = SHAPES.find(({ pattern }) => pattern.test(text));
  if (shape !== undefined) return shape.name;
  const runs = text.match(/[0-9A-Za-z+=]{32,}/g) ?? [];
  return runs.some(isRandom) ? "a random key" : undefined;
}

/** Hexadecimal digits have 4 bits at most, so that a hash is no key; words lack digits or cases. */
function isRandom(run: string): boolean {
  return /[0-9]/.test(run) && /[A-Z]/.test(run) && /[a-z]/.test(run) && entropy(run) >= RUN_BITS;
}

function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) {
    const share = count / text.length;
    bits -= share * Math.log2(share);
  }
  return bits;
}
