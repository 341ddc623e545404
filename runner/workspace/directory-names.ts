// Which directory each repository of a machine is checked out into.
import { parseGitUrl } from '../../contract/wire/git-url.ts';

/** The directory name that belongs to a repository: its last path segment, without `.git`. */
export function repositoryName(url: string): string {
  const segments = parseGitUrl(url)
    .path.split('/')
    .filter((segment) => segment !== '');
  if (segments.at(-1) === '.git') segments.pop();
  const name = (segments.at(-1) ?? '')
    .replace(/\.git$/, '')
    // A control character in a path helps nobody and garbles terminals.
    .replaceAll(/\p{Cc}+/gu, '-')
    .trim();
  return name === '' || name === '.' || name === '..' ? 'repository' : cutName(name);
}

/** One directory per URL, in order: a second repository of the same name gets a number. Case does not tell two apart. */
export function directoryNames(urls: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return urls.map((url) => {
    const name = repositoryName(url);
    let candidate = name;
    for (let number = 2; taken.has(candidate.toLowerCase()); number++) candidate = `${name}-${number}`;
    taken.add(candidate.toLowerCase());
    return candidate;
  });
}

/** File names have at most 255 bytes, and a number may follow. */
function cutName(name: string): string {
  let cut = name;
  while (Buffer.byteLength(cut) > 240) cut = [...cut].slice(0, -1).join('');
  return cut;
}
