import { Buffer } from "node:buffer";

/** Shortest secret that is looked for, in bytes: shorter ones are found by chance. */
const SECRET_BYTES_MIN = 12;
/** Longest file or output that is looked at, in bytes. */
const LOOKED_AT_MAX = 256 * 1024 * 1024;

/** A secret, and the one file where it may be. */
export interface Secret {
  readonly name: string;
  /** Path of that file, mode 0600, or of the database whose log counts too; `undefined`: nowhere. */
  readonly belongs?: string | undefined;
}

interface Form extends Secret {
  readonly form: string;
  readonly bytes: Buffer;
}

/** Bytes by which a form is found. */
const START_BYTES = 4;

/** Forms by how they start. */
interface FormIndex {
  /** 1 where a form starts with these two bytes. */
  readonly starts: Uint8Array;
  /** By the first four bytes, little-endian. */
  readonly byStart: ReadonlyMap<number, readonly Form[]>;
}

function indexOf(forms: readonly Form[]): FormIndex {
  const starts = new Uint8Array(1 << 16);
  for (const { bytes } of forms) starts[bytes.readUInt16LE(0)] = 1;
  return { starts, byStart: Map.groupBy(forms, ({ bytes }) => bytes.readUInt32LE(0)) };
}

/** Secrets in every form that they could be written in, and where they were found. */
export class Secrets {
  readonly #forms: Form[] = [];
  #index: FormIndex | undefined;
  /** Where a secret was found that it does not belong. */
  readonly findings = new Set<string>();
  /** Names of secrets that were found where they belong. */
  readonly atHome = new Set<string>();

  /** How many secrets are looked for. */
  get count(): number {
    return new Set(this.#forms.map(({ name }) => name)).size;
  }

  /** Looks for bytes: as they are, in hexadecimal, base64 and base64url wherever it starts. */
  addBytes(secret: Secret, bytes: Uint8Array): void {
    if (bytes.length < SECRET_BYTES_MIN) throw new RangeError(`"${secret.name}" is too short`);
    this.#index = undefined;
    const buffer = Buffer.from(bytes);
    const add = (form: string, found: Buffer): void =>
      void this.#forms.push({ ...secret, form, bytes: found });
    add("raw", buffer);
    add("hex", Buffer.from(buffer.toString("hex")));
    add("hex", Buffer.from(buffer.toString("hex").toUpperCase()));
    for (const offset of [0, 1, 2]) {
      for (const encoding of ["base64", "base64url"] as const) {
        add(encoding, Buffer.from(aligned(buffer, { offset, encoding })));
      }
    }
  }

  /** Looks for a text, and for the bytes that it stands for when it is base64url. */
  addText(secret: Secret, text: string): void {
    this.addBytes(secret, new TextEncoder().encode(text));
    if (/^[\w-]{43}$/.test(text)) this.addBytes(secret, Buffer.from(text, "base64url"));
  }

  /** Looks for a private key: the number that is the secret of it. */
  async addKey(secret: Secret, pem: string): Promise<void> {
    const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    const key = await crypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
    const { d = "" } = await crypto.subtle.exportKey("jwk", key);
    this.addBytes(secret, Buffer.from(d, "base64url"));
  }

  /** Looks through bytes of a place. */
  look(place: string, bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // Base64 comes in lines, in JSON with their ends as two characters.
    const joined = Buffer.from(buffer.toString("latin1").replaceAll(/\s|\\[nr]/g, ""), "latin1");
    for (const { name, belongs, form } of this.#foundIn(buffer).union(this.#foundIn(joined))) {
      if (belongs === place || `${belongs}-wal` === place) this.atHome.add(name);
      else this.findings.add(`${name} (${form}) in ${place}`);
    }
  }

  /** All forms at once: files are long, and forms are many. */
  #foundIn(buffer: Buffer): Set<Form> {
    const { starts, byStart } = this.#index ??= indexOf(this.#forms);
    const found = new Set<Form>();
    for (let at = 0; at + START_BYTES <= buffer.length; at++) {
      if (starts[(buffer[at] ?? 0) | (buffer[at + 1] ?? 0) << 8] === 0) continue;
      for (const form of byStart.get(buffer.readUInt32LE(at)) ?? []) {
        const { bytes } = form;
        const end = at + bytes.length;
        if (end > buffer.length) continue;
        if (buffer.compare(bytes, 0, bytes.length, at, end) === 0) found.add(form);
      }
    }
    return found;
  }

  /** Looks through a file; one where a secret belongs must be for its owner alone. */
  async lookAtFile(path: string): Promise<void> {
    const { size, mode } = await Deno.stat(path);
    if (size > LOOKED_AT_MAX) throw new RangeError(`"${path}" is too long to be looked at`);
    const before = this.atHome.size;
    this.look(path, await Deno.readFile(path));
    const isHome = this.atHome.size > before || this.#forms.some(({ belongs }) => belongs === path);
    if (isHome && ((mode ?? 0) & 0o077) !== 0) this.findings.add(`others may read ${path}`);
  }

  /** Looks through all files below a folder; what goes meanwhile is gone. */
  async lookBelow(folder: string): Promise<void> {
    for await (const entry of Deno.readDir(folder)) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) await this.lookBelow(path);
      else if (entry.isFile) await this.lookAtFile(path).catch(ignoreGone);
    }
  }

  /** Looks through what every process of this host was started with. */
  async lookAtProcesses(): Promise<void> {
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name) || Number(name) === Deno.pid) continue;
      for (const what of ["cmdline", "environ"]) {
        const path = `/proc/${name}/${what}`;
        try {
          this.look(path, await Deno.readFile(path));
        } catch {
          // It has ended, or is another user's: then it was not started by us.
        }
      }
    }
  }
}

/** The middle of a base64 text that is the same whatever stands before and behind it. */
function aligned(
  bytes: Buffer,
  { offset, encoding }: { readonly offset: number; readonly encoding: "base64" | "base64url" },
): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString(encoding);
  return text.slice(Math.ceil(offset * 8 / 6), Math.floor((offset + bytes.length) * 8 / 6));
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
