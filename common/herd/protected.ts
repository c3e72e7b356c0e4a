import { BlockList, isIPv4 } from "node:net";
import type { AntibodyAction, Entry } from "./antibody.ts";

/** What a fleet has that no antibody may hit, beside what every host has. */
export interface OwnThings {
  /** Addresses of the hive. */
  readonly addresses: readonly string[];
  /** Names of the hive. */
  readonly domains: readonly string[];
  /** Ports of the hive. */
  readonly ports: readonly number[];
  /** Folders of the program and of its state. */
  readonly folders: readonly string[];
  /** SHA-256 of files that belong to the host: the program itself, common libraries. */
  readonly hashes: readonly string[];
}

/** No things of one's own. */
export const NO_OWN_THINGS: OwnThings = {
  addresses: [],
  domains: [],
  ports: [],
  folders: [],
  hashes: [],
};

/** Folders of the system: a host without one of their files may not start, or not log in. */
const SYSTEM_FOLDERS = [
  "/bin",
  "/boot",
  "/dev",
  "/etc",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/proc",
  "/run/systemd",
  "/sbin",
  "/sys",
  "/usr/bin",
  "/usr/lib",
  "/usr/lib32",
  "/usr/lib64",
  "/usr/libexec",
  "/usr/sbin",
  "/usr/share",
  "/nix/store",
];
/** Folders below them in which anybody may write. */
const OPEN_FOLDERS = ["/dev/shm"];
/** Folders and devices that no watch may be about: it would fire all the time. */
const EVERYWHERE = new Set([...SYSTEM_FOLDERS, "/tmp", "/var", "/usr", "/home", "/root", "/opt"]);

const EMPTY_FILES = new Set([
  // SHA-256 of no bytes, of one line end, of 64 zeros as text that stands for "not known".
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b",
  "0".repeat(64),
  "f".repeat(64),
]);

/** Ports that a host cannot do without. */
const PORTS = new Set([22, 53, 67, 68, 80, 123, 443, 546, 547, 853]);

const DOMAINS = [
  "localhost",
  "local",
  "internal",
  "arpa",
  "debian.org",
  "ubuntu.com",
  "kernel.org",
  "fedoraproject.org",
  "redhat.com",
  "archlinux.org",
  "github.com",
  "githubusercontent.com",
  "gitlab.com",
  "pypi.org",
  "pythonhosted.org",
  "npmjs.org",
  "npmjs.com",
  "docker.io",
  "docker.com",
  "huggingface.co",
  "nvidia.com",
  "amazonaws.com",
  "googleapis.com",
  "azure.com",
  "cloudflare.com",
  "ntp.org",
  "letsencrypt.org",
];
/** Suffixes under which anybody may have a name: a name of two labels is all of them. */
const PUBLIC_SUFFIXES = new Set(
  ["co", "com", "net", "org", "gov", "edu", "ac", "or", "ne", "go"].flatMap((second) =>
    ["uk", "jp", "kr", "nz", "za", "au", "br", "cn", "in", "il", "tr", "mx"].map((top) =>
      `${second}.${top}`
    )
  ),
);

const RESERVED = new BlockList();
for (
  const [network, prefix] of [
    ["0.0.0.0", 8],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
    ["224.0.0.0", 3],
  ] as const
) RESERVED.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of [["::", 127], ["fe80::", 10], ["ff00::", 8]] as const) {
  RESERVED.addSubnet(network, prefix, "ipv6");
}

/**
 * What an entry would hit that it may not.
 *
 * @param entry Well-formed (`values.ts`), no rule.
 * @param options `action` of the antibody, `own` things of the fleet.
 * @returns A line for people, or `undefined` when it hits none of them.
 */
export function protectedBy(
  { type, value }: Entry,
  { action, own }: { readonly action: AntibodyAction; readonly own: OwnThings },
): string | undefined {
  const isBlock = action === "block";
  switch (type) {
    case "hash":
      return EMPTY_FILES.has(value) || own.hashes.includes(value)
        ? "It is the hash of an empty file or of one that hosts need"
        : undefined;
    case "path":
      return protectedPath(value, { isBlock, own });
    case "domain": {
      const names = isBlock ? [...DOMAINS, ...own.domains] : own.domains;
      if (PUBLIC_SUFFIXES.has(value)) return "Anybody may have a name below it";
      return names.some((name) => isBelow(value, name) || isBelow(name, value))
        ? "Hosts need this domain"
        : undefined;
    }
    case "address":
      return RESERVED.check(value, isIPv4(value) ? "ipv4" : "ipv6") || own.addresses.includes(value)
        ? "It is loopback, local, of a group, or the hive"
        : undefined;
    case "port":
      return isBlock && (PORTS.has(Number(value)) || own.ports.includes(Number(value)))
        ? "Hosts need this port"
        : undefined;
    case "rule":
      return undefined;
  }
}

function protectedPath(
  path: string,
  { isBlock, own }: { readonly isBlock: boolean; readonly own: OwnThings },
): string | undefined {
  const isIn = (folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
  if (own.folders.some(isIn)) return "It is of this program";
  if (EVERYWHERE.has(path)) return "It is a folder that everything uses";
  if (!isBlock || OPEN_FOLDERS.some((folder) => path.startsWith(`${folder}/`))) return undefined;
  return SYSTEM_FOLDERS.some(isIn) ? "It is of the system" : undefined;
}

function isBelow(name: string, parent: string): boolean {
  return name === parent || name.endsWith(`.${parent}`);
}
