// Which redirects the broker follows, and which of the owner's credentials it sends there.
import { afterEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { makeCertificate } from '../../../runner/broker/http/certificate.ts';
import { cleanUp } from '../fixture.ts';
import { serveForwardProxy } from './http-origin.ts';
import { PASSWORD, TOKEN, WORK, broker, configure, opened, run, setup, withStore } from './https-setup.ts';

afterEach(cleanUp);

const REFS = '/info/refs?service=git-upload-pack';

describe('a server that redirects', () => {
  it('is followed on its own host, and gets no credentials on another', async () => {
    const elsewhere = await setup();
    const each = await setup({
      redirects: (asked) => {
        const [, name, rest = ''] = /^\/(old|far)\.git(\/info.*)$/.exec(asked) ?? [];
        if (name === undefined) return undefined;
        return `${name === 'old' ? '/project.git' : elsewhere.url}${rest}`;
      },
    });
    withStore(each);
    const host = new URL(each.url).origin;
    const runner = await opened({ ...each, url: `${host}/old.git` }, {}, [`${host}/far`]);
    const { outcome, text } = await run(runner, 't1', `${WORK}; git ls-remote ${host}/far.git; echo "status $?"`);
    expect(outcome).toMatchObject({ pushes: [{ branch: 'work' }] });
    expect(text).toContain('status 128');
    expect(elsewhere.server.accepted).toEqual([]);
  }, 120_000);
});

describe('a server that redirects to a place', () => {
  it('with encryption on its own host is cloned, pushed to and fetched from there', async () => {
    const each = await setup();
    const asked: string[] = [];
    const { port } = await serveForwardProxy('jane', TOKEN, {
      to: each.server.port,
      plain: ({ url = '', headers }, response) => {
        asked.push(headers.authorization ?? 'none');
        response.writeHead(301, { location: url.replace('http:', 'https:') }).end();
      },
    });
    const forge = `[http "https://forge.example"]\n\tsslCAInfo = ${each.ca}\n`;
    configure(
      each,
      `[credential]\n\thelper = store\n[http]\n\tproxy = http://jane:${TOKEN}@127.0.0.1:${port}\n${forge}`,
    );
    each.write('.git-credentials', `https://jane:${PASSWORD}@forge.example\n`);
    const runner = await opened({ ...each, url: 'http://forge.example/project.git' });
    const { outcome } = await run(runner, 't1', WORK);
    expect(outcome).toMatchObject({ status: 'completed', pushes: [{ branch: 'work' }] });
    expect([...new Set(asked)]).toEqual(['none']);
  }, 120_000);

  it.each(['https', 'http'])(
    'without encryption is not followed, also when the first request used %s',
    async (first) => {
      const each = await setup({ redirects: (asked) => `http://forge.example/plain${asked}` });
      const heard: unknown[] = [];
      const { port } = await serveForwardProxy('jane', TOKEN, {
        to: each.server.port,
        plain: ({ url = '' }, response) => {
          heard.push(url);
          response.writeHead(301, { location: url.replace('http:', 'https:') }).end();
        },
      });
      configure(each, `[http]\n\tproxy = http://jane:${TOKEN}@127.0.0.1:${port}\n\tsslVerify = false\n`);
      const { ask } = await broker(each, `${first}://forge.example/project.git`);
      expect((await ask(REFS)).text).toContain('redirects to a place without encryption');
      expect(heard.filter((url) => String(url).includes('/plain/'))).toEqual([]);
    },
  );

  it('on another host shows that host neither certificate, cookie, header nor password of the owner', async () => {
    const heard: object[] = [];
    const hears = (request: IncomingMessage) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      heard.push({ ...request.headers, subject });
      return false;
    };
    const tls = { requestCert: true, rejectUnauthorized: false };
    const elsewhere = await setup({ admits: hears, tls });
    let place: string | undefined = undefined;
    const each = await setup({ admits: hears, tls, redirects: () => place });
    const own = makeCertificate(['jane']);
    const jar = each.write('cookies', `127.0.0.1\tFALSE\t/\tTRUE\t0\tsession\t${TOKEN}\n`);
    configure(
      each,
      `[http]\n\tsslVerify = false\n\tcookieFile = ${jar}\n\textraHeader = x-owner: ${TOKEN}\n` +
        `\tsslCert = ${each.write('cert.pem', own.cert)}\n\tsslKey = ${each.write('key.pem', own.key)}\n`,
    );
    withStore(each);
    const { ask } = await broker(each, each.url);
    await ask(REFS);
    expect(heard[0]).toMatchObject({ cookie: expect.any(String), 'x-owner': TOKEN, subject: expect.anything() });
    heard.length = 0;
    place = `${elsewhere.url}${REFS}`;
    expect((await ask(REFS)).text).toContain('redirects to another host, which gets no credentials');
    await ask(REFS, { headers: { authorization: 'Bearer of-the-agent' } });
    expect(heard.length).toBeGreaterThan(1);
    for (const each of heard) expect(each).toMatchObject({ subject: undefined });
    expect(JSON.stringify(heard)).not.toMatch(/cookie|x-owner|authorization/);
  });

  it('on another host after it accepted the owner does not count as a rejection of the password', async () => {
    const elsewhere = await setup({ admits: () => false });
    const each = await setup({
      answers: (_, response) => {
        response.writeHead(301, { location: `${elsewhere.url}${REFS}` }).end();
        return true;
      },
    });
    withStore(each);
    configure(each, '[http]\n\tsslVerify = false\n');
    const { ask } = await broker(each, each.url);
    expect((await ask(REFS)).text).toContain('redirects to another host, which gets no credentials');
    expect(each.server.accepted).toHaveLength(1);
    expect(readFileSync(path.join(each.folder, 'caller', '.git-credentials'), 'utf8')).toContain(PASSWORD);
  });

  it('on another host cannot redirect back to another repository', async () => {
    let back = '';
    const elsewhere = await setup({ redirects: () => back });
    const each = await setup({
      redirects: (asked) => (asked.startsWith('/project.git/') ? `${elsewhere.url}${REFS}` : undefined),
    });
    back = `${new URL(each.url).origin}/other.git${REFS}`;
    withStore(each);
    configure(each, '[http]\n\tsslVerify = false\n');
    const { ask } = await broker(each, each.url);
    for (const _ of [1, 2]) expect((await ask(REFS)).text).toContain('a place that the git broker does not follow');
    expect([...each.server.accepted, ...each.server.refused]).toEqual([]);
  });
});
