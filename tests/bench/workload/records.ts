import { encodeRecord } from "../../../common/record/mod.ts";
import type { Random } from "../../support/random.ts";
import type { HitTexts } from "./hits.ts";

/** A record, and its fields as rules name them. */
export interface WorkRecord {
  readonly bytes: Uint8Array;
  readonly fields: () => ReadonlyMap<string, string>;
}

/** What records are put together from. */
export interface RecordIngredients {
  /** What makes an exec, or an open, a hit. */
  readonly hits: readonly HitTexts[];
  /** Literals of rules, each without its last character. */
  readonly partials: readonly string[];
}

/** Processes that execute and open. */
const WORKERS = 4_096;
const PARENTS = 64;
const FIRST_PARENT = 100;
const FIRST_WORKER = 1_000;
/** One record in so many is a hit, and one in so many has part of a literal. */
const RECORDS_PER_HIT = 100;
const RECORDS_PER_PARTIAL = 5;
const ARGV_BYTES_MAX = 90;
const O_WRONLY_CREAT = 0o101;
const WORDS = ("status --port serve --model run /opt/models/llama config.json -m main --verbose " +
  "build test /etc/hosts worker --device cuda:0 -o output.log http://localhost:8000/v1 python3 " +
  "/srv/data train.py --epochs 10 git fetch origin node index.js --max-old-space-size=4096 sh -c")
  .split(" ");
const FOLDERS = ["/usr/bin", "/usr/local/bin", "/opt/tools/bin", "/usr/lib/git-core", "/bin"];
const PATHS = ["/opt/models", "/var/lib/docker/overlay2", "/home/user/.cache", "/tmp", "/srv/data"];

interface Texts {
  readonly image: string;
  readonly argv: string;
  readonly cwd: string;
}

/** Makes records of 80 to 384 bytes, each unlike all others. */
export class RecordMaker {
  readonly #random: Random;
  readonly #ingredients: RecordIngredients;
  readonly #programs = new Map<number, Texts>();
  #made = 0;

  /**
   * @param random Choices.
   * @param ingredients Hits and literals.
   */
  constructor(random: Random, ingredients: RecordIngredients) {
    this.#random = random;
    this.#ingredients = ingredients;
  }

  /** An exec of each process, the parents first: they are live from then on. */
  *start(): Generator<Uint8Array> {
    for (let i = 0; i < PARENTS; i++) yield this.#exec(FIRST_PARENT + i, this.#ordinary()).bytes;
    for (let i = 0; i < WORKERS; i++) yield this.#exec(FIRST_WORKER + i, this.#ordinary()).bytes;
  }

  /** The next exec, of a process that runs already. */
  exec(): WorkRecord {
    const pid = FIRST_WORKER + this.#random.below(WORKERS);
    const ordinary = this.#ordinary();
    const hit = this.#hit();
    if (hit === undefined) return this.#exec(pid, ordinary);
    return this.#exec(pid, {
      image: hit.get("Image") ?? ordinary.image,
      argv: hit.get("CommandLine") ?? ordinary.argv,
      cwd: ordinary.cwd,
    });
  }

  /** The next open for writing, by a process that runs already. */
  open(): WorkRecord {
    const random = this.#random;
    const pid = FIRST_WORKER + random.below(WORKERS);
    const ordinary = `${random.pick(PATHS)}/${this.#word()}/${this.#partial()}${this.#word()}`;
    const hit = this.#hit()?.get("TargetFilename");
    const path = hit ?? `${ordinary}/${this.#made.toString(36)}`;
    const bytes = encodeRecord("open", {
      header: this.#header(pid),
      body: { open_flags: O_WRONLY_CREAT },
      slots: { path },
    });
    return { bytes, fields: () => this.#fields(pid, new Map([["TargetFilename", path]])) };
  }

  #exec(pid: number, texts: Texts): WorkRecord {
    this.#programs.set(pid, texts);
    const { image, argv, cwd } = texts;
    const bytes = encodeRecord("exec", {
      header: this.#header(pid),
      slots: { image, argv: `${argv.replaceAll(" ", "\0")}\0`, cwd },
    });
    return { bytes, fields: () => this.#fields(pid, new Map()) };
  }

  #fields(pid: number, own: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    const program = this.#programs.get(pid);
    const parent = this.#programs.get(parentOf(pid));
    return new Map([
      ...own,
      ["Image", program?.image ?? ""],
      ["CommandLine", program?.argv ?? ""],
      ["CurrentDirectory", program?.cwd ?? ""],
      ["ParentImage", parent?.image ?? ""],
      ["ParentCommandLine", parent?.argv ?? ""],
      ["User", "1000"],
    ]);
  }

  #header(pid: number): Readonly<Record<string, number | bigint>> {
    this.#made++;
    return {
      pid,
      tid: pid,
      sequence: this.#made,
      time_ns: BigInt(this.#made) * 1_000n,
      start_time_ns: BigInt(pid),
      parent_pid: parentOf(pid),
      parent_start_time_ns: BigInt(parentOf(pid)),
      uid: 1000,
    };
  }

  #ordinary(): Texts {
    const random = this.#random;
    const name = this.#word();
    const words = Array.from({ length: random.between(2, 6) }, () => {
      return random.chance(60) ? random.pick(WORDS) : this.#word();
    });
    const argv = [name, `${this.#partial()}${this.#made.toString(36)}`, ...words].join(" ");
    return {
      image: `${random.pick(FOLDERS)}/${name}`,
      argv: argv.slice(0, ARGV_BYTES_MAX),
      cwd: `/home/user/${this.#made.toString(36)}`,
    };
  }

  #hit(): HitTexts | undefined {
    const { hits } = this.#ingredients;
    return hits.length > 0 && this.#made % RECORDS_PER_HIT === 0
      ? this.#random.pick(hits)
      : undefined;
  }

  #partial(): string {
    const { partials } = this.#ingredients;
    return partials.length > 0 && this.#made % RECORDS_PER_PARTIAL === 1
      ? this.#random.pick(partials)
      : "";
  }

  #word(): string {
    return (this.#random.below(2 ** 31) + 2 ** 20).toString(36);
  }
}

function parentOf(pid: number): number {
  return pid < FIRST_WORKER ? 1 : FIRST_PARENT + pid % PARENTS;
}
