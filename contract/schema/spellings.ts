// A mark on enums that accept more spellings than the schema lists.

/** Part of the JSON Schema. A surface passes such a value on unchanged, and the server checks it. */
export const OTHER_SPELLINGS = { 'x-other-spellings': true } as const;
