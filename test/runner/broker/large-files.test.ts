// The broker's answers to git LFS: no credential of the owner is in them.
import { afterEach, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { cleanUp } from '../fixture.ts';
import { PASSWORD, TOKEN, broker, configure, opened, run, setup, withStore } from './https-setup.ts';

afterEach(cleanUp);

describe('large files', () => {
  it('are listed without the header of the request', async () => {
    const header = `Basic ${btoa(`jane:${PASSWORD}`)}`;
    const each = await setup({
      answers: (request, response) => {
        if (!(request.url ?? '').includes('/info/lfs/')) return false;
        const download = {
          href: `${each.url}/gitlab-lfs/objects/1`,
          header: { Authorization: request.headers.authorization },
        };
        response.writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' });
        response.end(JSON.stringify({ objects: [{ oid: '1', actions: { download } }] }));
        return true;
      },
    });
    withStore(each);
    const runner = await opened(each);
    const commands = [
      `proxy=$(git config --get-urlmatch http.proxy ${each.url}); ca=$(git config --get-urlmatch http.sslcainfo ${each.url})`,
      `curl -s --proxy "$proxy" --cacert "$ca" -d '{}' ${each.url}/info/lfs/objects/batch | base64 -w0`,
    ];
    const { text } = await run(runner, 't1', commands.join('; '));
    const answers = [...text.matchAll(/"text":"([A-Za-z0-9+/=]{40,})"/g)].map((match) => atob(match[1] ?? ''));
    expect(answers[0]).toContain('gitlab-lfs/objects/1');
    expect(answers[0]).not.toContain(header);
  }, 120_000);

  const BATCHES = ['/info/lfs/objects/batch', '/info/lfs/objects/batch?x'];

  it.each([
    ['a helper', '', PASSWORD],
    ['a header for authorization', `[http]\n\textraHeader = Authorization: Bearer ${TOKEN}\n`, TOKEN],
    ['another header', `[http]\n\textraHeader = PRIVATE-TOKEN: ${TOKEN}\n`, TOKEN],
    ['a cookie', '[http]\n\tcookieFile = ~/cookies\n', TOKEN],
  ])("are listed without the owner's credentials from %s, by a server that compresses", async (_, setting, secret) => {
    const sent: unknown[] = [];
    const each = await setup({
      admits: ({ headers }) => secret === TOKEN || headers.authorization !== undefined,
      answers: ({ headers }, response) => {
        sent.push(headers);
        const header = { ...headers, copy: headers.cookie?.replace('session=', '') };
        const text = JSON.stringify({
          objects: [{ oid: '1', actions: { download: { href: 'https://x/1', header } } }],
        });
        const isZipped = (headers['accept-encoding'] ?? '').includes('gzip');
        const type = { 'content-type': 'application/vnd.git-lfs+json' };
        response.writeHead(200, isZipped ? { ...type, 'content-encoding': 'gzip' } : type);
        response.end(isZipped ? gzipSync(text) : text);
        return true;
      },
    });
    if (setting === '') withStore(each);
    configure(each, setting);
    each.write('cookies', `127.0.0.1\tFALSE\t/\tTRUE\t0\tsession\t${TOKEN}\n`);
    const { ask } = await broker(each, each.url);
    for (const place of BATCHES) {
      const { text } = await ask(place, { method: 'POST', body: '{}' });
      expect(JSON.parse(text)).toMatchObject({ objects: [{ actions: { download: { href: 'https://x/1' } } }] });
      expect(text).not.toContain(secret);
      expect(text).not.toContain(btoa(`jane:${secret}`));
    }
    expect(JSON.stringify(sent)).toContain(secret === TOKEN ? secret : btoa(`jane:${secret}`));
  });

  it("are listed with the server's whole answer for an agent's own credentials", async () => {
    const each = await setup({
      admits: () => true,
      answers: ({ headers }, response) => {
        response.writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' });
        response.end(JSON.stringify(headers.authorization));
        return true;
      },
    });
    configure(each, `[http]\n\textraHeader = Authorization: Bearer ${TOKEN}\n`);
    const { ask } = await broker(each, each.url);
    const init = { method: 'POST', body: '{}', headers: { authorization: 'Bearer of-the-agent' } };
    expect((await ask(BATCHES[0] ?? '', init)).text).toBe('"Bearer of-the-agent"');
  });
});
