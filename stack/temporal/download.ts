// Downloads the official Temporal CLI: locates the archive, verifies it against the published checksums if available,
// unpacks it and checks that it runs.
import { createHash } from 'node:crypto';
import { chmod, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from './run.ts';
import { TEMPORAL_RELEASE, serverVersionIn, serverVersionProblem } from './release.ts';

/** Temporal's download site. */
export const OFFICIAL_DOWNLOADS = 'https://temporal.download';

/** Without a network, this must fail quickly, so that the next way of getting a binary is tried. */
const LOOKUP_TIMEOUT_MS = 4_000;

/** Enough for the archive of some 60 MB on a slow network, and a limit for a dead one. */
const ARCHIVE_TIMEOUT_MS = 10 * 60_000;

/** All releases are larger. Error pages and incomplete transfers are smaller. */
const SMALLEST_ARCHIVE = 20_000_000;

export interface DownloadOptions {
  readonly baseUrl?: string;
  readonly smallestArchive?: number;
  readonly onProgress: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes the binary to `target`. Rejects with an Error that says what failed: network, checksum or an incomplete file.
 */
export async function downloadTemporal(target: string, options: DownloadOptions): Promise<void> {
  const archive = await locate(options);
  options.onProgress(`downloading Temporal CLI ${TEMPORAL_RELEASE.cli} from ${archive.url}`);
  const bytes = await fetchArchive(archive.url, options);
  const smallest = options.smallestArchive ?? SMALLEST_ARCHIVE;
  if (bytes.length < smallest) throw new Error(`the archive has only ${bytes.length.toString()} bytes`);
  await checkSum(archive.url, bytes, options);
  await unpack(bytes, archive.file, target);
}

interface Archive {
  readonly url: string;
  /** Name of the binary inside. */
  readonly file: string;
}

async function locate(options: DownloadOptions): Promise<Archive> {
  const query = new URLSearchParams({ platform: platformName(), arch: architectureName(), format: 'tar.gz' });
  const url = `${options.baseUrl ?? OFFICIAL_DOWNLOADS}/cli/v${TEMPORAL_RELEASE.cli}?${query.toString()}`;
  const response = await get(url, LOOKUP_TIMEOUT_MS, options.signal);
  const answer = (await response.json()) as { archiveUrl?: unknown; fileToExtract?: unknown };
  if (typeof answer.archiveUrl !== 'string' || typeof answer.fileToExtract !== 'string') {
    throw new Error(`${url} does not name an archive`);
  }
  return { url: answer.archiveUrl, file: answer.fileToExtract };
}

async function fetchArchive(url: string, options: DownloadOptions): Promise<Buffer> {
  const response = await get(url, ARCHIVE_TIMEOUT_MS, options.signal);
  const announced = Number(response.headers.get('content-length') ?? 0);
  const chunks: Uint8Array[] = [];
  let received = 0;
  let shownPercent = 0;
  const body: AsyncIterable<Uint8Array> = response.body ?? new Blob([]).stream();
  for await (const chunk of body) {
    chunks.push(chunk);
    received += chunk.length;
    const percent = announced > 0 ? Math.floor((received / announced) * 10) * 10 : 0;
    if (percent > shownPercent) options.onProgress(`downloaded ${percent.toString()} %`);
    shownPercent = Math.max(shownPercent, percent);
  }
  return Buffer.concat(chunks);
}

/**
 * Verifies the checksum, which releases publish beside the archives. Without one, size and a trial run have to suffice.
 */
async function checkSum(url: string, bytes: Buffer, options: DownloadOptions): Promise<void> {
  const name = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '');
  const sums = await get(new URL('checksums.txt', url).href, LOOKUP_TIMEOUT_MS, options.signal).then(
    (response) => response.text(),
    () => undefined,
  );
  const expected = sums
    ?.split('\n')
    .map((line) => line.trim().split(/\s+\*?/))
    .find(([, file]) => file === name)?.[0];
  if (expected === undefined) {
    options.onProgress('no published checksum: checking size and version of the binary instead');
    return;
  }
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== expected.toLowerCase())
    throw new Error(`the archive's checksum is ${actual}, the published one is ${expected}`);
}

async function unpack(bytes: Buffer, file: string, target: string): Promise<void> {
  const dir = dirname(target);
  const archive = join(dir, 'archive.tar.gz');
  await writeFile(archive, bytes);
  const outcome = await run('tar', ['-xzf', archive, '-C', dir, file]);
  if (outcome.code !== 0) throw new Error(`the archive cannot be unpacked: ${outcome.stderr.trim()}`);
  if (join(dir, file) !== target) await rename(join(dir, file), target);
  await chmod(target, 0o755);
  const version = await run(target, ['--version']);
  const problem = serverVersionProblem(serverVersionIn(version.stdout));
  if (problem !== undefined) throw new Error(`the downloaded binary ${problem}`);
}

async function get(url: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const response = await fetch(url, { signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]) });
  if (!response.ok) throw new Error(`${url} answered ${response.status.toString()}`);
  return response;
}

function platformName(): string {
  return process.platform === 'win32' ? 'windows' : process.platform;
}

function architectureName(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}
