import { ImmuneError } from "../../../common/config/errors.ts";
import { readPack, writePack } from "../../../common/wire/mod.ts";
import { type FuzzTarget, plainSubject } from "../target.ts";

const PACK = writePack([
  { name: "one.yml", text: "title: One" },
  { name: "two.yaml", text: "title: Two" },
]);

/** `readPack`: what operators send and agents unfold. No name leads out of its folder. */
export const target: FuzzTarget = {
  open: () =>
    plainSubject([PACK], (input) => {
      try {
        const files = readPack(input);
        return files.some(({ name }) => /[/\0]|^\./.test(name)) ? "a name leads away" : undefined;
      } catch (error) {
        return error instanceof ImmuneError ? undefined : `it threw ${String(error)}`;
      }
    }),
};
