import type { Random } from "../../support/random.ts";
import { timePartOf } from "../reference/number.ts";

/** A value of a rule, and one of an event that is near it. */
export interface TypedValue {
  readonly value: string | number;
  readonly sample: string;
}

const BASES = [
  [10, 0, 0, 0],
  [10, 255, 3, 4],
  [192, 168, 4, 128],
  [127, 0, 0, 1],
  [0, 0, 0, 0],
  [255, 255, 255, 255],
];
const BASES_V6 = [
  [0, 0, 0, 0, 0, 0, 0, 1],
  [0xfe80, 0, 0, 0, 0, 0, 0xa, 0xb],
  [0x2001, 0xdb8, 0, 1, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 0, 0],
  [0xffff, 0xffff, 1, 2, 3, 4, 5, 6],
];
const DAY_SECONDS = 86_400;
/** Seconds from 1970 to about 2100. */
const TIME_SECONDS_MAX = 4_100_000_000;

/**
 * A network, and an address in it or near it.
 *
 * @param random Choices.
 */
export function network(random: Random): TypedValue {
  const isV6 = random.chance(40);
  const size = isV6 ? 16 : 8;
  const groups = random.pick(isV6 ? BASES_V6 : BASES);
  const bits = groups.length * size;
  const prefix = random.chance(30) ? random.below(bits + 1) : random.pick([8, 10, 16, 24, bits]);
  const masked = groups.map((group, i) => {
    const left = Math.min(size, Math.max(0, prefix - i * size));
    return group & ~(2 ** (size - left) - 1);
  });
  // A bit close to the end of the prefix is another, or one behind it.
  const flipped = random.chance(80)
    ? Math.min(bits - 1, Math.max(0, prefix - 2 + random.below(8)))
    : -1;
  const near = masked.map((group, i) =>
    Math.floor(flipped / size) === i ? group ^ 2 ** (size - 1 - flipped % size) : group
  );
  const write = isV6 ? ipv6 : (parts: readonly number[]): string => parts.join(".");
  const single = prefix === bits && random.chance(50);
  const sample = write(near, random);
  return {
    value: `${write(masked, random)}${single ? "" : `/${prefix}`}`,
    sample: isV6 || random.chance(80) ? sample : `::${random.pick(["ffff", "FFFF"])}:${sample}`,
  };
}

function ipv6(groups: readonly number[], random: Random): string {
  const text = groups.map((group) => group.toString(16)).join(":");
  const short = text.replace(/(?:^|:)0(?::0)+(?::|$)/, "::");
  return random.pick([text, short, short.toUpperCase()]);
}

/**
 * A number, and a text of one near it.
 *
 * @param random Choices.
 */
export function number(random: Random): TypedValue {
  const value = random.pick([0, 1, -1, 5, 80, 443, 1024, 65535, 1.5, -0.25, 4294967296]);
  const near = value + random.pick([-1, 0, 0, 1, 0.5]);
  const sample = random.pick([
    String(near),
    near.toFixed(2),
    near < 0 ? String(near) : `+${near}`,
    near.toExponential(),
    `${near} `,
    `0x${random.below(100)}`,
    "",
    "many",
  ]);
  return { value: random.chance(15) ? String(value) : value, sample };
}

/**
 * A point in time, and its part or one near it.
 *
 * @param random Choices.
 * @param part `minute`, `hour`, `day`, `week`, `month` or `year`.
 */
export function timePart(random: Random, part: string): TypedValue {
  const seconds = random.chance(30)
    ? newYear(random.between(1970, 2099)) + random.between(-4, 4) * DAY_SECONDS
    : random.below(TIME_SECONDS_MAX);
  const sample = timeText(Math.max(0, seconds), random);
  const value = timePartOf(sample, part) ?? 1;
  const near = value + random.pick([-1, 0, 0, 0, 1]);
  return { value: isPart(near, part) ? near : value, sample };
}

function isPart(value: number, part: string): boolean {
  if (part === "minute") return value >= 0 && value <= 59;
  if (part === "hour") return value >= 0 && value <= 23;
  const most = { day: 31, week: 53, month: 12 }[part];
  return value >= 1 && value <= (most ?? 9999);
}

function newYear(year: number): number {
  return Date.UTC(year, 0, 1) / 1000;
}

function timeText(seconds: number, random: Random): string {
  const iso = new Date(seconds * 1000).toISOString();
  const [date = "", clock = ""] = iso.slice(0, 19).split("T");
  const offset = `${random.pick(["+", "-"])}${random.pick(["02:00", "0530", "13:45"])}`;
  return random.pick([
    iso,
    `${date} ${clock}`,
    `${date}T${clock}${offset}`,
    `${date}t${clock}.5z`,
    `${date}T${clock.slice(0, 5)}`,
    date,
    String(seconds),
    String(seconds * 1000 + 999),
    `${date}T${clock}x`,
    `${date.slice(0, 8)}31`,
    "now",
  ]);
}
