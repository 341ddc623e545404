// Valid names and content types of uploads. No imports.

/** Characters of a file name: it is part of a URL and of one line of a timeline. */
const NAME_LIMIT = 200;

/** Marks that change the displayed order of a name's characters: `gpj.exe` could look like `exe.jpg`. */
const DIRECTION_MARKS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** `type/subtype` with parameters (RFC 9110). Printable ASCII only, because it becomes a header. */
const CONTENT_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:; *[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|"[ !#-[\]-~]*"))*$/;

/** What is wrong with the name of an upload, quoted as given, or undefined. */
export function uploadNameProblem(name: string): string | undefined {
  const shown = JSON.stringify(name.length <= NAME_LIMIT ? name : `${name.slice(0, 80)}…`);
  if (name.trim() === '') return `filename ${shown} is empty`;
  if (name.length > NAME_LIMIT) return `filename ${shown} is longer than ${String(NAME_LIMIT)} characters`;
  if (/[/\\]/.test(name)) return `filename ${shown} is a path: it needs a name without / and \\`;
  if (name === '.' || name === '..') return `filename ${shown} is a folder`;
  if (/\p{Cc}/u.test(name) || DIRECTION_MARKS.test(name)) return `filename ${shown} holds a control character`;
  return name.isWellFormed() ? undefined : `filename ${shown} is not valid Unicode`;
}

/** What is wrong with a content type, quoted as given, or undefined. */
export function contentTypeProblem(type: string): string | undefined {
  if (type.length <= NAME_LIMIT && CONTENT_TYPE.test(type)) return undefined;
  return `content_type ${JSON.stringify(type.slice(0, 80))} is not valid: it needs type/subtype, such as image/png`;
}
