// The release of the Temporal CLI that Murmur is tested with, and which others it accepts.

/** The pinned release: what a download or a build yields. */
export const TEMPORAL_RELEASE = { cli: '1.8.2', server: '1.31.2', ui: '2.50.1' } as const;

/** Server versions that work: below, KeywordList attributes or eager activities are missing; 2 is not out. */
const OLDEST_SERVER = [1, 31, 0] as const;
const NEXT_MAJOR = 2;

/** The server's version in the output of `temporal --version`, or undefined when it names none. */
export function serverVersionIn(output: string): string | undefined {
  return /Server (\d+\.\d+\.\d+)/.exec(output)?.[1];
}

/** Why a server of this version cannot be used, or undefined. The CLI's own number says nothing in a build from source. */
export function serverVersionProblem(version: string | undefined): string | undefined {
  const range = `${OLDEST_SERVER.join('.')} or newer, below ${NEXT_MAJOR.toString()}`;
  if (version === undefined) return `does not say which Temporal server it is (supported: ${range})`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const supported = major === OLDEST_SERVER[0] && minor >= OLDEST_SERVER[1] && major < NEXT_MAJOR;
  return supported ? undefined : `is Temporal server ${version} (supported: ${range})`;
}
