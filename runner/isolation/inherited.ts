// File descriptors that this process inherited and would pass on: some terminals and editors leave some open. With the
// descriptor of a folder, an agent could leave its mounts.
import { openSync, readdirSync, readFileSync } from 'node:fs';

/** Node does not pass lower descriptors to its children. */
const FIRST = 16;
const CLOSED_ON_EXEC = 0o2000000;

let inherited: readonly number[] | undefined;
let nothing: number | undefined;

/** The `stdio` of a child, with /dev/null for each descriptor that it would inherit. */
export function closingInherited<Stream>(streams: readonly Stream[]): (Stream | number | 'ignore')[] {
  inherited ??= inheritedDescriptors();
  const last = inherited.at(-1);
  if (last === undefined) return [...streams];
  nothing ??= openSync('/dev/null', 'r');
  const all: (Stream | number | 'ignore')[] = [...streams];
  for (let index = streams.length; index <= last; index += 1) all.push(inherited.includes(index) ? nothing : 'ignore');
  return all;
}

/** In ascending order. Empty on systems other than Linux. */
function inheritedDescriptors(): readonly number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => descriptor >= FIRST && isPassedOn(descriptor))
    .sort((a, b) => a - b);
}

function isPassedOn(descriptor: number): boolean {
  try {
    const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${String(descriptor)}`, 'utf8'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSED_ON_EXEC) === 0;
  } catch {
    // It was the descriptor of the listing itself.
    return false;
  }
}
