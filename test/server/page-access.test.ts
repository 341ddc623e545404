// Who can see the page of an agent, and for how long.
import { describe, expect, test } from '@jest/globals';
import { createClient } from '../../client/index.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { KEY_MS, PAGE_TOKEN_MS, pageKey, pageToken, readPageKey, readPageToken } from '../../server/page/page-key.ts';
import type { PageGrant } from '../../server/page/page-key.ts';
import { startApi } from './fixtures/api.ts';
import { LEAD, pagesForFile } from './fixtures/pages.ts';

const AT = '2026-01-01T14:32:01.000Z';

const { api, exchange, keyOf, known, pass, state, visit } = pagesForFile();

async function statusesOf(headers: Readonly<Record<string, string>>): Promise<readonly number[]> {
  const answers = [
    await state(LEAD, headers),
    await state(`${LEAD}/kid`, headers),
    await state(LEAD, headers, '.events'),
  ];
  for (const answer of answers) await answer.body?.cancel();
  return answers.map(({ status }) => status);
}

describe('agent_url', () => {
  test('is the path of the agent, for slugs in every form', async () => {
    for (const slug of ['lead', '/u/alice/lead', '/w/default/u/alice/lead']) {
      expect(await api.client.call('agent_url', { slug })).toBe(`${api.url}/${LEAD}`);
    }
    expect(await api.client.call('agent_url', { slug: 'lead/kid' })).toBe(`${api.url}/${LEAD}/kid`);
  });

  test('of an agent that does not exist is NOT_FOUND', async () => {
    await expect(api.client.call('agent_url', { slug: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test("names the agent itself without a slug; agents get no key, and not another owner's page", async () => {
    const entry = { id: 'agent-1', account: 'alice', agent: LEAD, created_at: '2026-01-01' };
    const lead = createClient({ url: api.url, token: await mintToken(api.parts.tokenStore, entry) });
    expect(await lead.call('agent_url', {})).toBe(`${api.url}/${LEAD}`);
    await expect(lead.call('agent_url', { key: true })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    const foreign = lead.call('agent_url', { slug: '/w/default/u/bob/secret' });
    await expect(foreign).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('begins with the public URL if one is configured', async () => {
    const settings = { ...api.parts.settings, publicUrl: 'https://murmur.example' };
    await using open = await startApi({ parts: { temporal: known.client, settings } });
    expect(await open.client.call('agent_url', { slug: 'lead' })).toBe(`https://murmur.example/${LEAD}`);
  });
});

describe('a key', () => {
  test('is exchanged for a token, and sets no cookie', async () => {
    const answer = await exchange(LEAD, await keyOf('lead'));
    expect([answer.status, answer.headers.get('set-cookie'), answer.headers.get('cache-control')]).toEqual([
      200,
      null,
      'no-store',
    ]);
    expect(await answer.json()).toEqual({ token: expect.stringMatching(/^[\w-]+\.[\w-]{43}$/) });
  });

  test.each([
    ['for another agent', async () => await exchange('w/default/u/alice/leader', await keyOf('lead'))],
    ['for a descendant', async () => await exchange(`${LEAD}/kid`, await keyOf('lead'))],
    ['that is a token', async () => await exchange(LEAD, pass.authorization.slice('Bearer '.length))],
    ['that is malformed', async () => await exchange(LEAD, 'x')],
    ['that is no text', async () => await exchange(LEAD, { toString: 1 })],
    ['at another place', async () => await exchange(`${LEAD}/.other`, await keyOf('lead'))],
  ])('%s gives no access', async (_what, ask) => {
    expect((await ask()).status).toBe(404);
  });

  test('from a page of another site is rejected', async () => {
    expect((await exchange(LEAD, await keyOf('lead'), { origin: 'https://evil.example' })).status).toBe(403);
  });

  test('ends after ten minutes, and its token after eight hours', () => {
    const { signer } = api.parts;
    const now = Date.now();
    const grant: PageGrant = { agent: LEAD, spawnId: 's', forRecord: false, asker: 'owner-0' };
    const key = pageKey(signer, grant, now);
    expect(readPageKey(signer, key, LEAD, now + KEY_MS - 1)).toEqual({ ...grant, until: now + KEY_MS });
    expect(readPageKey(signer, key, LEAD, now + KEY_MS)).toBeUndefined();
    const identity = { workspace: 'default', account: 'alice', path: ['lead'] };
    const token = pageToken(signer, grant, now);
    expect(PAGE_TOKEN_MS).toBe(8 * 3_600_000);
    expect(readPageToken(signer, token, identity, now + PAGE_TOKEN_MS - 1)?.until).toBe(now + PAGE_TOKEN_MS);
    expect(readPageToken(signer, token, identity, now + PAGE_TOKEN_MS)).toBeUndefined();
  });
});

describe('access by a key ends', () => {
  /** A person's own token, the access by its key, and an unused key. */
  async function asked(): Promise<{ readonly id: string; readonly open: typeof pass; readonly key: string }> {
    const { id, token } = await api.client.call('auth_token_create', {});
    const client = createClient({ url: api.url, token });
    return { id, open: await visit(await keyOf('lead', client)), key: await keyOf('lead', client) };
  }

  test('with the token that requested it, open streams within about a second', async () => {
    const { id, key, open } = await asked();
    const stream = await state(LEAD, open, '.events');
    const end = stream.text();
    expect(await statusesOf(open)).toEqual([200, 200, 200]);
    await api.client.call('auth_token_revoke', { id });
    expect(await statusesOf(open)).toEqual([404, 404, 404]);
    expect((await exchange(LEAD, key)).status).toBe(404);
    const revoked = performance.now();
    expect(await end).not.toContain('event: end');
    expect(performance.now() - revoked).toBeLessThan(5_000);
    // Access by other tokens continues.
    expect(await statusesOf(pass)).toEqual([200, 200, 200]);
  });

  test('when the requesting token is recreated under the same id, and when it expires', async () => {
    const entry = { id: 'token-of-alice', account: 'alice', created_at: '2026-01-01' };
    const soon = { ...entry, expires_at: new Date(Date.now() + 60_000).toISOString() };
    const client = createClient({ url: api.url, token: await mintToken(api.parts.tokenStore, soon) });
    const open = await visit(await keyOf('lead', client));
    expect((await state(LEAD, open)).status).toBe(200);
    const stored = await api.parts.tokenStore.get(entry.id);
    if (stored === undefined) throw new Error('no such token');
    await api.parts.tokenStore.put({ ...stored, expires_at: new Date(Date.now() - 1).toISOString() });
    expect((await state(LEAD, open)).status).toBe(404);
    await api.parts.tokenStore.put(stored);
    expect((await state(LEAD, open)).status).toBe(200);
    await mintToken(api.parts.tokenStore, entry);
    expect((await state(LEAD, open)).status).toBe(404);
  });

  test('with the agent, also for its descendants and streams; a new key is for the record', async () => {
    known.agents.set('w/default/u/alice/brief', { tasks: [] });
    known.agents.set('w/default/u/alice/brief/kid', { tasks: [] });
    const id = 'w/default/u/alice/brief';
    const key = await keyOf('brief');
    const open = await visit(await keyOf('brief'), id);
    const ofKid = (await state(`${id}/kid`, open, '.events')).text();
    expect((await state(`${id}/kid`, open)).status).toBe(200);
    known.agents.set(id, { tasks: [], ended: true });
    await api.parts.events.append(id, 'workflow', [{ seq: 1, at: AT, event: { type: 'phase', phase: 'completed' } }]);
    expect([(await state(id, open)).status, (await state(`${id}/kid`, open)).status]).toEqual([404, 404]);
    expect((await exchange(id, key)).status).toBe(404);
    expect(await ofKid).not.toContain('event: end');
    const forRecord = await visit(await keyOf('brief'), id);
    expect((await state(id, forRecord)).status).toBe(200);
    // The key is not valid for another agent with the same slug.
    known.agents.set(id, { tasks: [], spawn_id: 'another' });
    expect((await state(id, forRecord)).status).toBe(404);
  });
});

describe('a visitor without access', () => {
  const forged = (): string => `${pass.authorization.slice(0, -1)}${pass.authorization.endsWith('A') ? 'B' : 'A'}`;

  test('gets the same document for every address, which names no agent', async () => {
    const shell = await fetch(`${api.url}/${LEAD}`);
    const text = await shell.text();
    expect([shell.status, shell.headers.get('set-cookie')]).toEqual([200, null]);
    expect(text).toContain('murmur url agent');
    expect(text).not.toContain('lead');
    for (const id of ['w/default/u/alice/nobody', 'w/default/u/bob/secret', 'w/Bad_Slug', `${LEAD}/kid`, 'w/']) {
      const answer = await fetch(`${api.url}/${id}`, { headers: pass });
      expect([id, answer.status, await answer.text()]).toEqual([id, 200, text]);
    }
  });

  test('gets the same answers for an existing and a missing agent', async () => {
    for (const [id, headers, part] of [
      [LEAD, {}, '.state'],
      [LEAD, {}, '.events'],
      [LEAD, { authorization: forged() }, '.state'],
      [LEAD, { authorization: `Bearer ${api.token}` }, '.state'],
      [LEAD, { cookie: `murmur_page=${pass.authorization.slice('Bearer '.length)}` }, '.state'],
      ['w/default/u/alice/leader', pass, '.state'],
      ['w/default/u/alice/nobody', pass, '.state'],
      [`${LEAD}/absent`, pass, '.state'],
      ['w/default/u/bob/secret', pass, '.state'],
      ['w/default/u/bob/secret', pass, '.events'],
      ['w/default/u/alice/Bad_Slug', pass, '.state'],
      [LEAD, pass, '.other'],
      [LEAD, pass, '.key'],
    ] as const) {
      const answer = await state(id, headers, part);
      expect([id, part, answer.status, await answer.text()]).toEqual([
        id,
        part,
        404,
        'There is nothing to see here.\n',
      ]);
    }
  });

  test('cannot call the API with the token of a page', async () => {
    const response = await fetch(`${api.url}/v1/status`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...pass },
      body: JSON.stringify({ slug: 'lead' }),
    });
    expect(response.status).toBe(401);
  });

  test('may follow a link from any site, but other sites cannot load the page', async () => {
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    // Not with fetch, which sets these headers itself.
    const ask = async (more: Readonly<Record<string, string>>): Promise<number> =>
      (await api.app.inject({ url: `/${LEAD}`, headers: { host: 'localhost', ...link, ...more } })).statusCode;
    expect(await ask({})).toBe(200);
    expect(await ask({ 'sec-fetch-dest': 'iframe' })).toBe(403);
    expect(await ask({ 'sec-fetch-mode': 'no-cors' })).toBe(403);
  });
});
