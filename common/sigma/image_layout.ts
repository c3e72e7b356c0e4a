// Layout of a rule image: what `encode` writes and `wasm/assembly` reads. Little-endian,
// offsets from the start of the image, every section 8-byte aligned. Prose: specs/rule_image.md.

/** "IMRI" */
export const IMAGE_MAGIC = 0x4952_4D49;
export const IMAGE_VERSION = 6;
/** Longest image, in bytes: the size of one of the engine's two regions. */
export const IMAGE_BYTES_MAX = 32 * 1024 * 1024;
/** Deepest stack of a rule program. */
export const PROGRAM_DEPTH_MAX = 64;
/** Most fields, atoms and rules of one image. */
export const FIELDS_MAX = 1024;
export const ATOMS_MAX = 262_144;
export const RULES_MAX = 16_384;

/** Offsets in the image's header; `hash` is SHA-256 of the image with these 32 bytes zero. */
export const IMAGE_HEADER = {
  magic: 0, // u32
  version: 4, // u16
  header_length: 6, // u16
  length: 8, // u32, bytes of the image
  rule_count: 12, // u32
  atom_count: 16, // u32
  field_count: 20, // u32
  class_mask: 24, // u32, classes that any rule wants
  log_source_count: 28, // u32
  hash: 32, // 32 bytes
  fields: 64, // u32 offset of FIELD_ROW[field_count]
  atoms: 68, // u32 offset of ATOM_ROW[atom_count]
  rules: 72, // u32 offset of RULE_ROW[rule_count]
  words: 76, // u32 offset of the u32 pool (programs, lists)
  word_count: 80, // u32
  texts: 84, // u32 offset of the byte pool
  text_bytes: 88, // u32
  always: 92, // u32 index in the pool of a list: rules to run on every event of their class
  relations: 96, // u32 index in the pool of a list: `fieldref` atoms, tried after all fields
  role_count: 100, // u32, the last rows of the rules that are role rules
} as const;
export const IMAGE_HEADER_BYTES = 104;

/** One field that the rules name. 32 bytes. */
export const FIELD_ROW = {
  standard: 0, // u32 standard field id (fields.ts), 0 = only flat events have it
  class_mask: 4, // u32 classes whose rules test it
  automaton: 8, // u32 offset of an automaton, 0 = none: literals that the block does not take
  present: 12, // u32 atom that is true when the field is there, NONE = nobody asks
  empty: 16, // u32 atom that is true when it is there and empty, NONE = nobody asks
  singles: 20, // u32 index in the pool of a list of atoms to try one by one, NONE = none
  literals: 24, // u32 offset of the literals that rules wait for (literal_layout.ts), 0 = none
  asked: 28, // u32 offset of those that the programs of rules alone ask for, 0 = none
} as const;
export const FIELD_ROW_BYTES = 32;

/** One distinct test of a field. 24 bytes. */
export const ATOM_ROW = {
  field: 0, // u16
  op: 2, // u16, ATOM_OPS
  text: 4, // u32 offset in the byte pool; folded unless cased, other forms: ATOM_OPS
  text_length: 8, // u32
  candidates: 12, // u32 index in the pool of a list: rules to look at when it is found
  flags: 16, // u32: ATOM_FLAGS, and from ATOM_CLASSES_SHIFT on the classes of its candidates
  gated: 20, // u32 index in the pool of a list of atoms to try when it is found, NONE = none
} as const;
export const ATOM_ROW_BYTES = 24;

/**
 * Where in an atom's `flags` the classes of its candidates start, behind the last of `ATOM_FLAGS`; the
 * class `flat` is the top bit. So there is room for classes up to bit 27.
 */
export const ATOM_CLASSES_SHIFT = 3;
/** Bits of an atom's `flags`. */
export const ATOM_FLAGS = {
  /** Letters count as they are written. */
  cased: 1,
  /** It is tried when a rule that is looked at asks for it, and has no candidates. */
  late: 2,
  /** The same, by the search for its field's `asked` literals, of which it or its gates are. */
  asked: 4,
} as const;

/**
 * What an atom tests, and the form of its text where that is no plain one. In a glob `*` is 0x01
 * and `?` 0x02, so that both can be literal too.
 */
export const ATOM_OPS = {
  equals: 1,
  startswith: 2,
  endswith: 3,
  contains: 4,
  glob: 5,
  present: 6,
  empty: 7,
  /** Text: a program of common/sigma/regex. */
  regex: 8,
  /** Text: CIDR. */
  cidr: 9,
  /** Text: NUMBER. */
  number: 10,
  /** Text: FIELDREF. */
  fieldref: 11,
} as const;
/** Text of a `cidr` atom: a network. */
export const CIDR = {
  bytes: 0, // u8, 4 or 16: bytes of the address
  prefix: 1, // u8, bits
  address: 2, // network order
} as const;
/** Text of a `number` atom. */
export const NUMBER = {
  comparison: 0, // u8, COMPARISONS
  part: 1, // u8, TIME_PARTS; 0 = the value itself
  number: 8, // f64
} as const;
export const NUMBER_BYTES = 16;
export const COMPARISONS = { eq: 0, lt: 1, lte: 2, gt: 3, gte: 4 } as const;
export const TIME_PARTS = { minute: 1, hour: 2, day: 3, week: 4, month: 5, year: 6 } as const;
/** Text of a `fieldref` atom. */
export const FIELDREF = {
  likeness: 0, // u8, LIKENESSES
  field: 2, // u16, number of the other field
} as const;
export const FIELDREF_BYTES = 4;
export const LIKENESSES = { equals: 0, contains: 1, startswith: 2, endswith: 3 } as const;
export const GLOB_ANY = 0x01;
export const GLOB_ONE = 0x02;

/** One rule. 24 bytes. */
export const RULE_ROW = {
  class_mask: 0, // u32 event classes that it applies to
  program: 4, // u32 index in the pool
  program_words: 8, // u32
  log_source: 12, // u32 bit number in a flat event's log source bit map (bit n & 7 of byte n >> 3)
  role: 16, // u16, of a role rule: the role of a process on which it holds
  reserved: 18, // 6 bytes
} as const;
export const RULE_ROW_BYTES = 24;

/** No such index. */
export const NONE = 0xFFFF_FFFF;

/**
 * Words of a rule program: operation in the high byte, operand in the low 24 bits. It works on a
 * stack of bits and ends with exactly one.
 */
export const PROGRAM_OPS = {
  atom: 1, // push bit of atom #operand
  any: 2, // push: is one of the list at pool index operand set (list: count, atoms...)
  all: 3, // push: are all of that list set
  and: 4, // pop two, push
  or: 5,
  not: 6, // pop one, push
  at_least: 7, // pop the `operand & 0xFFF` top bits, push: are at least `operand >> 12` set
  constant: 8, // push operand & 1
  unless: 9, // is the top bit 0? then go on `operand` words further
  when: 10, // is the top bit 1? then go on `operand` words further
} as const;

/**
 * Automaton of one field (Aho-Corasick, failure links resolved). Offsets from its own start:
 * u32 states, u32 classes, u32 offset of transitions (u32[states * classes]: next state, bit 31:
 * that state has outputs), u32 offset of output starts (u32[states + 1]), u32 offset of outputs
 * (u32 atom ids), u32 reserved[3], then u8 classOf[256]. State 0 is the start.
 */
export const AUTOMATON = {
  states: 0,
  classes: 4,
  transitions: 8,
  output_starts: 12,
  outputs: 16,
  class_of: 32,
} as const;
export const AUTOMATON_OUTPUT_BIT = 0x8000_0000;

/** Event classes: bits of `class_mask`. A record has the bits of all classes that it belongs to. */
export const CLASSES = {
  process_creation: 1,
  process_termination: 2,
  process_fork: 4,
  identity: 8,
  network_connection: 16,
  network_bind: 32,
  /** Any open. */
  file_access: 64,
  /** An open that creates, truncates or may write, and a file made, written, renamed or linked. */
  file_event: 128,
  /** What gives a process its role: the start of a program. Role rules alone. */
  role: 256,
  /** A process that ran before the sensor. */
  process_snapshot: 512,
  network_listen: 1024,
  network_accept: 2048,
  /** A connection that ended, with what went over it. */
  network_flow: 4096,
  dns_query: 8192,
  dns_answer: 16384,
  /** A process reached into a guarded one, by a way that costs nothing to see. */
  process_access: 32768,
  process_signal: 65536,
  /** The name of a watched file is gone. */
  file_delete: 131072,
  /** Another name or folder. */
  file_rename: 262144,
  /** Mode, owner, times or extended attributes. */
  file_change: 524288,
  /** A process used a privilege, or made memory executable that was written. */
  privileged_act: 1048576,
  /** The hash of a program is known; of rules on starts of programs that ask for one. */
  program_hash: 2097152,
  /** The same of a watched file, of rules on files. */
  file_hash: 4194304,
  /** No record; flat events alone. Every rule has this bit. */
  flat: 0x8000_0000,
} as const;
/** A flat event belongs to all classes but `role`: it has no process. */
export const CLASS_ALL = 0xFFFF_FEFF;
