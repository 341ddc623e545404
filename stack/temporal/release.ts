// The release of the Temporal CLI with which Murmur is tested, and the accepted range.

/** The pinned release, which is downloaded or built. */
export const TEMPORAL_RELEASE = { cli: '1.8.2', server: '1.31.2', ui: '2.50.1' } as const;

/** Supported server versions. Older ones lack KeywordList attributes or eager activities; version 2 is not released. */
const OLDEST_SERVER = [1, 31, 0] as const;
const NEXT_MAJOR = 2;

/** The server's version in the output of `temporal --version`; undefined when it has none. */
export function serverVersionIn(output: string): string | undefined {
  return /Server (\d+\.\d+\.\d+)/.exec(output)?.[1];
}

/** Why a server of this version cannot be used, or undefined. The CLI's version is not set in builds from source. */
export function serverVersionProblem(version: string | undefined): string | undefined {
  const range = `${OLDEST_SERVER.join('.')} or newer, below ${NEXT_MAJOR.toString()}`;
  if (version === undefined) return `does not say which Temporal server it is (supported: ${range})`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const supported = major === OLDEST_SERVER[0] && minor >= OLDEST_SERVER[1] && major < NEXT_MAJOR;
  return supported ? undefined : `is Temporal server ${version} (supported: ${range})`;
}
