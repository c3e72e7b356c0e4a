import manifest from "../deno.json" with { type: "json" };

/** Version of the product. */
export const VERSION: string = manifest.version;
