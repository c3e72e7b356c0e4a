/**
 * The part of `@std/assert` that this project's tests use, with the same names and behaviour. It
 * stands in where JSR cannot be reached; without `links` in deno.json the real module is used.
 *
 * @module
 */
export * from "./assert.ts";
