import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { downloadTemporal } from '../../../stack/temporal/download.ts';

let folder: string;
let server: Server;
let url: string;
let archive: Buffer;
/** Content of checksums.txt; undefined when it is missing. */
let checksum: string | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'murmur-download-'));
  writeFileSync(join(folder, 'temporal'), "#!/bin/sh\necho 'temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)'\n");
  execFileSync('tar', ['-czf', 'cli.tar.gz', 'temporal'], { cwd: folder });
  archive = readFileSync(join(folder, 'cli.tar.gz'));
  server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path.startsWith('/cli/v1.8.2?')) {
      response.end(JSON.stringify({ archiveUrl: `${url}/assets/cli.tar.gz`, fileToExtract: 'temporal' }));
    } else if (path === '/assets/cli.tar.gz') response.end(archive);
    else if (path === '/assets/checksums.txt' && checksum !== undefined) response.end(`${checksum}  cli.tar.gz\n`);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port.toString()}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function download(smallestArchive = 10): Promise<string> {
  const target = join(mkdtempSync(join(folder, 'target-')), 'temporal');
  await downloadTemporal(target, { baseUrl: url, smallestArchive, onProgress: () => undefined });
  return execFileSync(target, ['--version'], { encoding: 'utf8' });
}

describe('the official download', () => {
  it('is checked against the published checksum and runs', async () => {
    checksum = createHash('sha256').update(archive).digest('hex');
    expect(await download()).toContain('Server 1.31.2');
  });

  it('is rejected when the checksum differs', async () => {
    checksum = 'a'.repeat(64);
    await expect(download()).rejects.toThrow(/checksum/);
  });

  it('is accepted without published checksums, after checks of size and version', async () => {
    checksum = undefined;
    expect(await download()).toContain('Server 1.31.2');
    await expect(download(20_000_000)).rejects.toThrow(/has only \d+ bytes/);
  });
});
