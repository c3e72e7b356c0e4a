import {
  IMAGE_HEADER,
  PROGRAM_OPS,
  RULE_ROW,
  RULE_ROW_BYTES,
} from "../../common/sigma/image_layout.ts";

const OPERAND_MASK = 0xFF_FFFF;

/**
 * Finds the rules of an image that ask for one of some atoms.
 *
 * @param image A rule image that was checked.
 * @param atoms Numbers of atoms.
 * @returns Indexes of the rules, ascending.
 */
export function rulesOfAtoms(image: DataView, atoms: ReadonlySet<number>): readonly number[] {
  const u32 = (at: number): number => image.getUint32(at, true);
  const words = u32(IMAGE_HEADER.words);
  const rows = u32(IMAGE_HEADER.rules);
  const word = (index: number): number => u32(words + index * 4);
  const listHas = (index: number): boolean => {
    for (let i = 1; i <= word(index); i++) if (atoms.has(word(index + i))) return true;
    return false;
  };
  const asks = (rule: number): boolean => {
    const row = rows + rule * RULE_ROW_BYTES;
    const start = u32(row + RULE_ROW.program);
    for (let i = start; i < start + u32(row + RULE_ROW.program_words); i++) {
      const op = word(i) >>> 24;
      const operand = word(i) & OPERAND_MASK;
      if (op === PROGRAM_OPS.atom && atoms.has(operand)) return true;
      if ((op === PROGRAM_OPS.any || op === PROGRAM_OPS.all) && listHas(operand)) return true;
    }
    return false;
  };
  return Array.from({ length: u32(IMAGE_HEADER.rule_count) }, (_, rule) => rule).filter(asks);
}
