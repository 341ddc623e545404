// `upload` and `url`: the request, the output, and the note on who can open the URL.
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CliHarness } from './harness.ts';

const LOCAL = 'http://127.0.0.1:7470';

let cli: CliHarness;
beforeAll(async () => {
  cli = await CliHarness.start();
});
afterAll(async () => {
  await cli.close();
});
beforeEach(() => {
  cli.calls.length = 0;
});

describe('upload', () => {
  interface Sent {
    readonly url: string | undefined;
    readonly type: string | undefined;
    readonly body: string;
  }

  /** Runs the command against a server that accepts everything. */
  async function upload(
    argv: readonly string[],
  ): Promise<{ sent: Sent[]; code: number; stdout: string; stderr: string }> {
    const sent: Sent[] = [];
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        sent.push({ url: request.url, type: request.headers['content-type'], body });
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(`${LOCAL}/uploads/x/y`));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const result = await cli.run(['upload', ...argv], { env: { MURMUR_API_URL: url } });
    server.closeAllConnections();
    server.close();
    return { sent, ...result };
  }

  it('sends a file of the current directory under its own name, and prints the URL', async () => {
    await mkdir(join(cli.home, 'out'), { recursive: true });
    await writeFile(join(cli.home, 'out', 'rép ort.html'), '<p>');
    const { code, stdout, stderr, sent } = await upload(['out/rép ort.html']);
    expect([code, stdout]).toEqual([0, `${LOCAL}/uploads/x/y\n`]);
    expect(stderr).toContain('only this machine can open it, to read the file; set MURMUR_PUBLIC_URL for others');
    const url = '/v1/uploads/r%C3%A9p%20ort.html?workspace=default';
    expect(sent).toEqual([{ url, type: undefined, body: '<p>' }]);
  });

  it('accepts another name and a type', async () => {
    await writeFile(join(cli.home, 'log'), 'x');
    const { sent } = await upload(['log', '--filename', 'build.txt', '--content-type', 'text/x-log']);
    expect(sent).toEqual([{ url: '/v1/uploads/build.txt?workspace=default', type: 'text/x-log', body: 'x' }]);
  });

  it('of a missing file fails with NOT_FOUND and its path, and sends nothing', async () => {
    const { code, stderr, sent } = await upload(['nothing.png']);
    expect(code).toBe(4);
    expect(stderr).toContain(`murmur: there is no file ${join(cli.home, 'nothing.png')}`);
    expect(sent).toEqual([]);
  });

  it('requires a file', async () => {
    const { code, stderr } = await upload([]);
    expect(code).toBe(2);
    expect(stderr).toContain('file required');
  });
});

describe('url port', () => {
  it('prints one URL per port', async () => {
    cli.answer('port_url', { body: 'https://murmur.example/ports/x/' });
    const { code, stdout, stderr } = await cli.run(['url', 'port', '3000', '8080']);
    expect([code, stdout]).toEqual([0, 'https://murmur.example/ports/x/\n'.repeat(2)]);
    expect(stderr).toContain(
      'everybody who has the URL and reaches murmur.example can use the port until the agent ends',
    );
    expect(cli.calls.map(({ input }) => input)).toEqual([{ port: 3000 }, { port: 8080 }]);
  });

  it.each(['0', '65536', '3.5', 'web', '-1'])('refuses the port %s before the first call', async (port) => {
    const { code, stderr } = await cli.run(['url', 'port', '3000', port]);
    expect(code).toBe(2);
    expect(stderr).toContain(`port is "${port}": it needs a whole number from 1 to 65535`);
    expect(cli.calls).toEqual([]);
  });

  it('ends with the error of the server', async () => {
    cli.answer('port_url', { error: { code: 'FAILED_PRECONDITION', message: 'only an agent can share a port' } });
    const { code, stderr } = await cli.run(['url', 'port', '3000']);
    expect(code).toBe(6);
    expect(stderr).toContain('murmur: only an agent can share a port');
  });
});

describe('url agent', () => {
  it('requests a key, and says for whom and how long the link is valid', async () => {
    cli.answer('agent_url', { body: `${LOCAL}/w/default/u/me/a#key=k` });
    const { code, stdout, stderr } = await cli.run(['url', 'agent', 'a']);
    expect([code, stdout]).toEqual([0, `${LOCAL}/w/default/u/me/a#key=k\n`]);
    expect(stderr).toContain('only this machine can open it');
    expect(stderr).toContain('open it within 10 minutes');
    expect(cli.lastInput()).toEqual({ slug: 'a', workspace: 'default', key: true });
  });

  it('prints the URL without a key with --plain, and always for an agent', async () => {
    cli.answer('agent_url', { body: `${LOCAL}/w/default/u/me/a` });
    const { stderr } = await cli.run(['url', 'agent', 'a', '--plain']);
    expect(cli.lastInput()).toEqual({ slug: 'a', workspace: 'default' });
    expect(stderr).toContain('the URL has no key');
    await cli.run(['url', 'agent', '/w/default/u/me/a'], { env: { MURMUR_TOKEN: 'mur_agent-0.x' } });
    expect(cli.lastInput()).not.toHaveProperty('key');
  });
});
