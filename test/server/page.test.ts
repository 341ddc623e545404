// The page of an agent: who sees it, what it shows, and that nothing of what it shows can act.
import { createHash } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from '../../client/index.ts';
import type { AgentStatus } from '../../contract/wire/agent.ts';
import type { LogEntry } from '../../contract/wire/events.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { KEY_MS, PAGE_TOKEN_MS, pageKey, pageToken, readPageKey, readPageToken } from '../../server/page/page-key.ts';
import type { PageGrant } from '../../server/page/page-key.ts';
import { sessionLine } from '../../server/page/session-lines.ts';
import { until } from '../runner/fixture.ts';
import { startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';
import { knownAgents } from './fixtures/known-agents.ts';
import { stubBrowser } from './fixtures/stub-browser.ts';

const LEAD = 'w/default/u/alice/lead';
const XSS = `"'><img src=x onerror=alert(1)><script>alert(1)</script>`;
const BAD_LINK = 'javascript:alert(1)';
const AT = '2026-01-01T14:32:01.000Z';

const known = knownAgents();
let api: Api;
/** What opens the lead's page, as the page's script sends it. */
let pass: { readonly authorization: string };
beforeAll(async () => {
  api = await startApi({ parts: { temporal: known.client } });
  for (const id of [LEAD, `${LEAD}/kid`, 'w/default/u/alice/leader', 'w/default/u/bob/secret']) {
    known.agents.set(id, { tasks: [] });
  }
  pass = await visit(await keyOf('lead'));
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

/** The key in the URL that a person gets. */
async function keyOf(slug: string, client = api.client): Promise<string> {
  const url = await client.call('agent_url', { slug, key: true });
  return new URL(url).hash.replace('#key=', '');
}

/** Exchanges a key as the page's script does. */
async function exchange(id: string, key: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return await fetch(`${api.url}/${id}/.key`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ key }),
  });
}

async function visit(key: string, id = LEAD): Promise<typeof pass> {
  const answer = await exchange(id, key);
  expect(answer.status).toBe(200);
  const { token } = (await answer.json()) as { readonly token: string };
  return { authorization: `Bearer ${token}` };
}

/** What the page fetches: the agent's state, or its session with `part`. */
async function state(id = LEAD, headers: Readonly<Record<string, string>> = pass, part = '.state'): Promise<Response> {
  return await fetch(`${api.url}/${id}/${part}`, { headers });
}

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

  test('is itself for an agent without a slug; it gets no key, and not the page of another owner', async () => {
    const entry = { id: 'agent-1', account: 'alice', agent: LEAD, created_at: '2026-01-01' };
    const lead = createClient({ url: api.url, token: await mintToken(api.parts.tokenStore, entry) });
    expect(await lead.call('agent_url', {})).toBe(`${api.url}/${LEAD}`);
    await expect(lead.call('agent_url', { key: true })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    const foreign = lead.call('agent_url', { slug: '/w/default/u/bob/secret' });
    await expect(foreign).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('begins with the public URL where there is one', async () => {
    const settings = { ...api.parts.settings, publicUrl: 'https://murmur.example' };
    await using open = await startApi({ parts: { temporal: known.client, settings } });
    expect(await open.client.call('agent_url', { slug: 'lead' })).toBe(`https://murmur.example/${LEAD}`);
  });
});

describe('a key', () => {
  test('is exchanged for a token, and nothing is kept by the browser itself', async () => {
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
    ['that is none', async () => await exchange(LEAD, 'x')],
    ['that is no text', async () => await exchange(LEAD, { toString: 1 })],
    ['at another place', async () => await exchange(`${LEAD}/.other`, await keyOf('lead'))],
  ])('%s opens nothing', async (_what, ask) => {
    expect((await ask()).status).toBe(404);
  });

  test('from a page of another site is not taken', async () => {
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

describe('what a key opens ends', () => {
  /** A person's own token, what it opens, and a key that has not been used. */
  async function asked(): Promise<{ readonly id: string; readonly open: typeof pass; readonly key: string }> {
    const { id, token } = await api.client.call('auth_token_create', {});
    const client = createClient({ url: api.url, token });
    return { id, open: await visit(await keyOf('lead', client)), key: await keyOf('lead', client) };
  }

  test('with the token that asked for it, a stream that is open within about a second', async () => {
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
    // Of another token nothing has ended.
    expect(await statusesOf(pass)).toEqual([200, 200, 200]);
  });

  test('when the token that asked is made anew under the same id, and when it expires', async () => {
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

  test('with the agent, for its descendants too, and its streams; a new one is for the record', async () => {
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
    // Another agent under the same slug is none of its business.
    known.agents.set(id, { tasks: [], spawn_id: 'another' });
    expect((await state(id, forRecord)).status).toBe(404);
  });
});

describe('whoever may not see an agent', () => {
  const forged = (): string => `${pass.authorization.slice(0, -1)}${pass.authorization.endsWith('A') ? 'B' : 'A'}`;

  test('gets the same document as everybody for every address, which names no agent', async () => {
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

  test('is told the same about an agent as about none', async () => {
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

  test('has the API as little opened by the token of a page as before', async () => {
    const response = await fetch(`${api.url}/v1/status`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...pass },
      body: JSON.stringify({ slug: 'lead' }),
    });
    expect(response.status).toBe(401);
  });

  test('may come by a link from anywhere, but loads nothing into a page of another site', async () => {
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    // Not by fetch, which tells of itself in these headers.
    const ask = async (more: Readonly<Record<string, string>>): Promise<number> =>
      (await api.app.inject({ url: `/${LEAD}`, headers: { host: 'localhost', ...link, ...more } })).statusCode;
    expect(await ask({})).toBe(200);
    expect(await ask({ 'sec-fetch-dest': 'iframe' })).toBe(403);
    expect(await ask({ 'sec-fetch-mode': 'no-cors' })).toBe(403);
  });
});

describe('the page', () => {
  test('shows phase, task, checklist, children, pull requests, uploads, cost and timeline', async () => {
    known.agents.set(LEAD, {
      tasks: [{ id: '1', subject: 'write it', status: 'done', blocks: [], blocked_by: [], dormant: false }],
      status: {
        phase: 'idle',
        working_on: 'Fix the total',
        response: 'It is fixed.',
        prs: ['https://git.example/pr/1'],
        cost: { total_usd: 1.5, own_usd: 1, children_usd: 0.5, by_model: {} },
        children: [{ slug: 'kid', spawn_id: 's', phase: 'running', phase_since: AT, cost_usd: 0.5 }],
        timeline: [
          { type: 'phase', phase: 'running', at: AT },
          { type: 'upload', filename: 'r.html', url: `${api.url}/uploads/x/r.html`, bytes: 4, at: AT, by: `/${LEAD}` },
        ],
      },
    });
    const text = await (await state()).text();
    for (const shown of ['Fix the total', 'It is fixed.', '● write it', '$1.50 ($1.00 its own)', '4 bytes', 'upload']) {
      expect(text).toContain(shown);
    }
    expect(text).toContain('<span class="phase">idle</span>');
    expect(text).toContain('<a href="https://git.example/pr/1" rel="noopener noreferrer">');
    expect(text).toContain(`<a href="/${LEAD}/kid">kid</a>`);
    expect((await state(`${LEAD}/kid`)).status).toBe(200);
  });

  test('makes text of everything that an agent can write', async () => {
    const branch = { repo: XSS, branch: XSS, head: XSS, pushed: false, dirty_files: 0 };
    const status: Partial<AgentStatus> = {
      purpose: XSS,
      reason: XSS,
      working_on: XSS,
      response: XSS,
      queued: [XSS],
      branches: [branch],
      prs: [BAD_LINK, XSS],
      vm: { name: XSS, provider: XSS, isolation: XSS, state: 'running' },
      children: [{ slug: XSS, spawn_id: 's', phase: 'idle', phase_since: AT, cost_usd: 0, response: XSS }],
      timeline: [
        { type: 'phase', phase: 'idle', reason: XSS, at: XSS, by: XSS },
        { type: 'taskComplete', turn: 1, response: XSS, at: AT },
        { type: 'followUp', id: 'x', from: XSS, text: XSS, how: 'queue', at: AT },
        { type: 'commit', sha: XSS, subject: XSS, branch: XSS, repo: XSS, at: AT },
        { type: 'push', sha: XSS, branch: XSS, repo: XSS, at: AT },
        { type: 'child', slug: XSS, phase: 'failed', reason: XSS, cost_usd: 0, at: AT },
        { type: 'upload', filename: XSS, url: BAD_LINK, bytes: 1, at: AT },
        { type: 'note', text: XSS, at: AT },
      ],
    };
    const task = { id: XSS, subject: XSS, status: 'pending', blocks: [], blocked_by: [], dormant: false } as const;
    known.agents.set(LEAD, { status, tasks: [task] });
    const text = await (await state()).text();
    expect(text.match(/alert\(1\)/g)?.length).toBeGreaterThan(20);
    expect(text).not.toContain('<img');
    expect(text).not.toContain('<script');
    expect(text).not.toMatch(/href="[^"]*javascript:/);
    expect(text).not.toContain(XSS);
    known.agents.set(LEAD, { tasks: [] });
  });

  test('shows where a character stands that cannot be seen, in every place', async () => {
    const name = 'ma\u202e\u200b\u{e0041}in';
    known.agents.set(LEAD, {
      tasks: [],
      status: {
        slug: name,
        purpose: name,
        prs: [`https://git.example/${name}`],
        branches: [{ repo: 'r', branch: name, head: 'h', pushed: true, dirty_files: 0 }],
        children: [{ slug: name, spawn_id: 's', phase: 'idle', phase_since: AT, cost_usd: 0 }],
        timeline: [{ type: 'note', text: `${name} 👩‍💻`, at: AT }],
      },
    });
    const text = await (await state()).text();
    expect(text).not.toMatch(/[\u200b\u202e\u{e0041}]/u);
    expect(text.match(/ma\ufffd\ufffd\ufffdin/g)?.length).toBeGreaterThan(5);
    expect(text).toContain(' 👩‍💻');
    expect(text).toContain('href="https://git.example/ma%E2%80%AE%E2%80%8B%F3%A0%81%81in"');
    const event = { type: 'tool_use', tool: name, tool_use_id: 't', input: name } as const;
    const entry: LogEntry = { id: 7, seq: 7, at: AT, source: 'runner', event };
    expect(sessionLine(entry)).toMatchObject({ label: 'ma\ufffd\ufffd\ufffdin', text: 'ma\ufffd\ufffd\ufffdin' });
    known.agents.set(LEAD, { tasks: [] });
  });

  test('runs one script and has one style, which its policy knows by their hashes, and nothing from anywhere', async () => {
    const response = await fetch(`${api.url}/${LEAD}`);
    const policy = response.headers.get('content-security-policy') ?? '';
    const text = await response.text();
    for (const [tag, directive] of [
      ['script', 'script-src'],
      ['style', 'style-src'],
    ] as const) {
      const [, source = ''] = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(text) ?? [];
      const hash = createHash('sha256').update(source).digest('base64');
      expect(policy).toContain(`${directive} 'sha256-${hash}'`);
    }
    expect(policy).toMatch(/^default-src 'none'; /);
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(text).not.toMatch(/ (?:src|on\w+|style)=/);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
    });
  });
});

describe('the session', () => {
  test('is streamed from the log as plain lines, from where a browser has been, to the end of the agent', async () => {
    await api.parts.events.append(LEAD, 'runner', [
      { seq: 1, at: AT, event: { type: 'assistant_text', text: XSS } },
      { seq: 2, at: AT, event: { type: 'tool_use', tool: 'Bash', tool_use_id: 't', input: '{"command":"ls"}' } },
    ]);
    await api.parts.events.append(LEAD, 'workflow', [{ seq: 1, at: AT, event: { type: 'phase', phase: 'completed' } }]);
    const stream = await fetch(`${api.url}/${LEAD}/.events`, { headers: { ...pass, 'last-event-id': '0' } });
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const lines = await stream.text();
    expect(lines).toContain(
      `data: ${JSON.stringify({ id: 1, at: '14:32:01', kind: 'say', label: '', text: XSS, changes: false })}`,
    );
    expect(lines).toContain('"label":"Bash"');
    expect(lines).toContain('event: end\ndata: {"phase":"completed"}');
    const rest = await fetch(`${api.url}/${LEAD}/.events`, { headers: { ...pass, 'last-event-id': '2' } });
    expect(await rest.text()).not.toContain('Bash');
  });

  test.each([
    [{ type: 'error', code: 'overloaded', message: 'busy' }, 'error', 'overloaded', 'busy'],
    [{ type: 'retry', attempt: 2, max_attempts: 3, delay_ms: 1, error: '529' }, 'error', 'retry 2', '529'],
    [{ type: 'tool_result', tool_use_id: 't', text: 'no', is_error: true }, 'error', '→', 'no'],
    [{ type: 'session_end', reason: 'stopped' }, 'event', 'session ended', 'stopped'],
    [{ type: 'cost', total_usd: 1, delta: { usd: 1, by_model: {} } }, 'event', '', ''],
    [{ type: 'assistant_text', text: 'x'.repeat(3_000) }, 'say', '', `${'x'.repeat(2_000)}…`],
  ] as const)('has %j as one line', (event, kind, label, text) => {
    const entry: LogEntry = { id: 7, seq: 7, at: AT, source: 'runner', event };
    expect(sessionLine(entry)).toMatchObject({ id: 7, kind, label, text });
  });
});

describe('the script of the page', () => {
  test('shows each line once, as text, and loads the state again when it has changed', async () => {
    const [, source = ''] = /<script>([^]*?)<\/script>/.exec(await (await fetch(`${api.url}/${LEAD}`)).text()) ?? [];
    // The token of an agent above serves as well.
    const browser = stubBrowser(`/${LEAD}/kid/`, { [`murmur /${LEAD}`]: 'token' });
    runInNewContext(source, browser.globals);
    const asked = (part: string, after = ''): string => `/${LEAD}/kid/${part} Bearer token${after}`;
    await until(() => browser.asked.length === 2);
    expect(browser.asked).toEqual([asked('.state'), asked('.events')]);
    const line = { id: 1, at: '14:32:01', kind: 'say', label: 'x', text: XSS, changes: true };
    browser.receive(line);
    browser.receive(line);
    browser.receive({ ...line, id: 2, label: '', text: '', changes: false });
    browser.receive({ ...line, id: 3, changes: false });
    await until(() => browser.session.length === 2);
    expect(browser.session[0]?.cells).toEqual(['14:32:01', 'x', XSS]);
    expect(browser.asked.slice(2)).toEqual([asked('.state')]);
    browser.breakOff();
    await until(() => browser.asked.length === 4);
    expect(browser.asked[3]).toBe(asked('.events', ' 3'));
  });
});
