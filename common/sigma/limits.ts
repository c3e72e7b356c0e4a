// Bounds of the rule language. Those of the image stand in image_layout.ts.

/** Most bytes of one rule file (UTF-8). */
export const RULE_SOURCE_BYTES_MAX = 1024 * 1024;
/**
 * Longest rule file, in bytes, of YAML beyond what `plain_yaml.ts` reads: the whole parser needs
 * time that grows with the square of some texts (measured: at most 0.3 s at this length).
 */
export const WHOLE_YAML_BYTES_MAX = 64 * 1024;
/** Most files that one folder may hold, subfolders included. */
export const RULE_FILES_MAX = 32_768;
/** Most bytes of all files that one folder may hold. */
export const RULE_FOLDER_BYTES_MAX = 128 * 1024 * 1024;
/** Deepest subfolder that is read. */
export const RULE_FOLDER_DEPTH_MAX = 16;
/** Most YAML documents of one file. */
export const DOCUMENTS_PER_SOURCE_MAX = 1024;
/** Deepest nesting of a YAML document. */
export const DOCUMENT_DEPTH_MAX = 16;
/** Most uses of YAML aliases in one document. */
export const ALIASES_MAX = 100;
/** Longest value of a field test, in bytes (UTF-8). */
export const VALUE_BYTES_MAX = 4096;
/** Longest condition, in characters. */
export const CONDITION_LENGTH_MAX = 4096;
/** Deepest nesting of a condition: parentheses and `not`. */
export const CONDITION_DEPTH_MAX = 32;
/** Most field tests of one rule, each use by its condition counted. */
export const TESTS_PER_RULE_MAX = 16_384;
/** Most field tests of all rules that are read together, with those of their filters. */
export const TESTS_PER_SET_MAX = 524_288;
/** Longest id and title of a rule, in characters. */
export const RULE_ID_LENGTH_MAX = 128;
export const RULE_TITLE_LENGTH_MAX = 256;
/** Most entries of a rule's `related`. */
export const RELATED_MAX = 256;
/** Most values that one value of a rule becomes by `expand`, `windash` and `base64offset`. */
export const EXPANSION_VALUES_MAX = 4096;
/** Longest name of a field, in characters. */
export const FIELD_NAME_LENGTH_MAX = 256;
/** Most members of one correlation. */
export const CORRELATION_MEMBERS_MAX = 256;
/** Most entries of `group-by`, and most fields of a correlation's condition. */
export const CORRELATION_FIELDS_MAX = 16;
/** Longest time span of a correlation, in milliseconds: 366 days. */
export const TIMESPAN_MS_MAX = 366 * 24 * 60 * 60 * 1000;
/** Longest chain of correlations that refer to each other. */
export const CORRELATION_DEPTH_MAX = 16;
