import * as z from "zod";

/** Every error answer of the hive. */
export const errorSchema = z.object({
  error: z.object({
    /** A code of common/config/errors.ts. */
    code: z.string(),
    message: z.string(),
    /** With `BATCH_GAP`: the first position that would be taken. */
    expected: z.int().optional(),
  }),
});
