import {
  type FieldSpec,
  type FieldType,
  HEADER,
  type KindName,
  KINDS,
  SLOT_BYTES,
} from "./table.ts";

const SIZES: Readonly<Record<FieldType, number>> = { u16: 2, u32: 4, u64: 8, bytes16: 16 };
const ALIGNMENTS: Readonly<Record<FieldType, number>> = { u16: 2, u32: 4, u64: 8, bytes16: 4 };

/** Place of a fixed field. */
export interface Place {
  readonly name: string;
  readonly type: FieldType;
  /** Bytes from the start of the header or body that it belongs to. */
  readonly offset: number;
}

/** Places of the fields of a header or a body. */
export interface Layout {
  readonly places: readonly Place[];
  /** Bytes, a multiple of 8. */
  readonly length: number;
}

/**
 * Gives each field its place: in order, without holes.
 *
 * @param fields Fields in the order of the table.
 * @returns Their places.
 * @throws {TypeError} when a field would be misaligned or the end is no multiple of 8: the table
 * needs a reserved field there.
 */
export function layOut(fields: readonly FieldSpec[]): Layout {
  const places: Place[] = [];
  let offset = 0;
  for (const { name, type } of fields) {
    if (offset % ALIGNMENTS[type] !== 0) {
      throw new TypeError(`Cannot place field "${name}": offset ${offset} is not aligned`);
    }
    places.push({ name, type, offset });
    offset += SIZES[type];
  }
  if (offset % 8 !== 0) {
    throw new TypeError(`Cannot end layout at ${offset}: not a multiple of 8`);
  }
  return { places, length: offset };
}

/** Layout of the fixed header. */
export const HEADER_LAYOUT: Layout = layOut(HEADER);
/** Bytes of the fixed header. */
export const HEADER_BYTES = HEADER_LAYOUT.length;

/** Layout of each kind's body. */
export const BODY_LAYOUTS: Readonly<Record<KindName, Layout>> = Object.fromEntries(
  Object.entries(KINDS).map(([name, kind]) => [name, layOut(kind.body)]),
) as unknown as Readonly<Record<KindName, Layout>>;

/** Offset of each header field, by name. */
export const HEADER_OFFSETS: Readonly<Record<(typeof HEADER)[number]["name"], number>> = Object
  .fromEntries(HEADER_LAYOUT.places.map((place) => [place.name, place.offset])) as Readonly<
    Record<(typeof HEADER)[number]["name"], number>
  >;

/**
 * Bytes of a record of a kind before its first string.
 *
 * @param kind Name of the kind.
 * @returns Bytes of header, body and slots.
 */
export function fixedBytes(kind: KindName): number {
  return HEADER_BYTES + BODY_LAYOUTS[kind].length + KINDS[kind].slots.length * SLOT_BYTES;
}
