// A mark on enums whose values may be written in more ways than the schema lists.

/** Carried into the JSON Schema: a surface passes such a value on as it was typed and leaves the check to the server. */
export const OTHER_SPELLINGS = { 'x-other-spellings': true } as const;
