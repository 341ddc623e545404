// The page of an agent: who sees it, what it shows, and that nothing of what it shows can act.
import { createHash } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from '../../client/index.ts';
import type { AgentStatus } from '../../contract/wire/agent.ts';
import type { LogEntry } from '../../contract/wire/events.ts';
import { mintToken } from '../../drivers/tokens/token.ts';
import { isPageKey, KEY_MS, pageCookie, pageKey, readPageCookie } from '../../server/page/page-key.ts';
import { sessionLine } from '../../server/page/session-lines.ts';
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
let cookie: string;
beforeAll(async () => {
  api = await startApi({ parts: { temporal: known.client } });
  for (const id of [LEAD, `${LEAD}/kid`, 'w/default/u/alice/leader', 'w/default/u/bob/secret']) {
    known.agents.set(id, { tasks: [] });
  }
  cookie = await visit(await keyOf('lead'));
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

/** The key in the URL that a person gets. */
async function keyOf(slug: string): Promise<string> {
  const url = await api.client.call('agent_url', { slug, key: true });
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

async function visit(key: string): Promise<string> {
  const answer = await exchange(LEAD, key);
  expect(answer.status).toBe(204);
  return answer.headers.get('set-cookie')?.split(';')[0] ?? '';
}

async function page(id = LEAD, headers: Readonly<Record<string, string>> = { cookie }): Promise<Response> {
  return await fetch(`${api.url}/${id}`, { headers });
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
    const url = await open.client.call('agent_url', { slug: 'lead', key: true });
    const key = new URL(url).hash.replace('#key=', '');
    const answer = await fetch(`${open.url}/${LEAD}/.key`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ key }),
    });
    expect(answer.headers.get('set-cookie')).toMatch(/; Secure$/);
  });
});

describe('a key', () => {
  test('is exchanged for a cookie that scripts, other sites and other paths have nothing of', async () => {
    const answer = await exchange(LEAD, await keyOf('lead'));
    expect(answer.headers.get('set-cookie')).toMatch(
      /^murmur_page=[\w.-]+; Path=\/w\/default\/u\/alice\/lead; Max-Age=28800; HttpOnly; SameSite=Strict$/,
    );
  });

  test.each([
    ['for another agent', async () => await exchange('w/default/u/alice/leader', await keyOf('lead'))],
    ['for a descendant', async () => await exchange(`${LEAD}/kid`, await keyOf('lead'))],
    ['that is a cookie', async () => await exchange(LEAD, pageCookie(api.parts.signer, LEAD))],
    ['that is none', async () => await exchange(LEAD, 'x')],
    ['that is no text', async () => await exchange(LEAD, { toString: 1 })],
    ['at another place', async () => await exchange(`${LEAD}/.other`, await keyOf('lead'))],
  ])('%s opens nothing', async (_what, ask) => {
    const answer = await ask();
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([404, null]);
  });

  test('from a page of another site is not taken', async () => {
    expect((await exchange(LEAD, await keyOf('lead'), { origin: 'https://evil.example' })).status).toBe(403);
  });

  test('ends after ten minutes, and its cookie after eight hours', () => {
    const { signer } = api.parts;
    const now = Date.now();
    const key = pageKey(signer, LEAD, now);
    expect([now, now + KEY_MS - 1, now + KEY_MS].map((at) => isPageKey(signer, key, LEAD, at))).toEqual([
      true,
      true,
      false,
    ]);
    const identity = { workspace: 'default', account: 'alice', path: ['lead'] };
    const value = pageCookie(signer, LEAD, now);
    const eight = 8 * 3_600_000;
    expect(readPageCookie(signer, value, identity, now + eight - 1)).toBe(now + eight);
    expect(readPageCookie(signer, value, identity, now + eight)).toBeUndefined();
  });
});

describe('whoever may not see an agent', () => {
  test('sees the same as where there is none', async () => {
    const closed = await page('w/default/u/alice/nobody', {});
    expect(closed.status).toBe(404);
    const text = await closed.text();
    expect(text).toContain('murmur url agent');
    const forged = `murmur_page=${cookie.slice(0, -1)}x`;
    for (const [id, headers] of [
      [LEAD, {}],
      [LEAD, { cookie: forged }],
      [LEAD, { authorization: `Bearer ${api.token}` }],
      ['w/default/u/alice/leader', { cookie }],
      ['w/default/u/alice/nobody', { cookie }],
      [`${LEAD}/absent`, { cookie }],
      ['w/default/u/bob/secret', { cookie }],
      ['w/default/u/alice/Bad_Slug', { cookie }],
      [`${LEAD}/.other`, { cookie }],
      [`${LEAD}/.events`, {}],
    ] as const) {
      const answer = await page(id, headers);
      expect([id, answer.status, await answer.text()]).toEqual([id, 404, text]);
    }
  });

  test('has the API as little opened by the cookie as before', async () => {
    const response = await fetch(`${api.url}/v1/status`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie },
      body: JSON.stringify({ slug: 'lead' }),
    });
    expect(response.status).toBe(401);
  });

  test('may come by a link from anywhere, but loads nothing into a page of another site', async () => {
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    // Not by fetch, which tells of itself in these headers.
    const ask = async (more: Readonly<Record<string, string>>): Promise<number> =>
      (await api.app.inject({ url: `/${LEAD}`, headers: { host: 'localhost', cookie, ...link, ...more } })).statusCode;
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
    const text = await (await page()).text();
    for (const shown of ['Fix the total', 'It is fixed.', '● write it', '$1.50 ($1.00 its own)', '4 bytes', 'upload']) {
      expect(text).toContain(shown);
    }
    expect(text).toContain('<span class="phase">idle</span>');
    expect(text).toContain('<a href="https://git.example/pr/1" rel="noopener noreferrer">');
    expect(text).toContain(`<a href="/${LEAD}/kid">kid</a>`);
    expect((await page(`${LEAD}/kid`)).status).toBe(200);
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
    const text = await (await page()).text();
    expect(text.match(/alert\(1\)/g)?.length).toBeGreaterThan(20);
    expect(text).not.toContain('<img');
    expect(text.match(/<script/g)).toHaveLength(1);
    expect(text).not.toMatch(/href="[^"]*javascript:/);
    expect(text).not.toContain(XSS);
    known.agents.set(LEAD, { tasks: [] });
  });

  test('runs one script and has one style, which its policy knows by their hashes, and nothing from anywhere', async () => {
    const response = await page();
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
    const stream = await fetch(`${api.url}/${LEAD}/.events`, { headers: { cookie, 'last-event-id': '0' } });
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const lines = await stream.text();
    expect(lines).toContain(
      `data: ${JSON.stringify({ id: 1, at: '14:32:01', kind: 'say', label: '', text: XSS, changes: false })}`,
    );
    expect(lines).toContain('"label":"Bash"');
    expect(lines).toContain('event: end');
    const rest = await fetch(`${api.url}/${LEAD}/.events`, { headers: { cookie, 'last-event-id': '2' } });
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

test('the script of the page shows each line once, as text, and loads the state again when it has changed', async () => {
  const [, source = ''] = /<script>([^]*?)<\/script>/.exec(await (await page()).text()) ?? [];
  const browser = stubBrowser(`/${LEAD}/`);
  runInNewContext(source, browser.globals);
  const line = { id: 1, at: '14:32:01', kind: 'say', label: 'x', text: XSS, changes: true };
  browser.receive(line);
  browser.receive(line);
  browser.receive({ ...line, id: 2, label: '', text: '' });
  expect(browser.session.map((row) => row.cells)).toEqual([['14:32:01', 'x', XSS]]);
  expect(browser.followed).toEqual(['/w/default/u/alice/lead/.events']);
  expect(browser.asked).toEqual(['/w/default/u/alice/lead']);
});
