// Names of the directories into which a machine's repositories are checked out.
import { parseGitUrl } from '../../contract/wire/git-url.ts';

/** The directory name of a repository: its last path segment, without `.git`. */
export function repositoryName(url: string): string {
  const segments = parseGitUrl(url)
    .path.split('/')
    .filter((segment) => segment !== '');
  if (segments.at(-1) === '.git') segments.pop();
  const name = (segments.at(-1) ?? '')
    .replace(/\.git$/, '')
    // Control characters in a path garble terminals.
    .replaceAll(/\p{Cc}+/gu, '-')
    .trim();
  return name === '' || name === '.' || name === '..' ? 'repository' : cutName(name);
}

/** One directory per URL, in order. A second repository of the same name, ignoring case, gets a number. */
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

/** File names have at most 255 bytes, including the number. */
function cutName(name: string): string {
  let cut = name;
  while (Buffer.byteLength(cut) > 240) cut = [...cut].slice(0, -1).join('');
  return cut;
}
