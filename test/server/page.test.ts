// What the page of an agent shows, and that no shown content is executed.
import { createHash } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import type { AgentStatus } from '../../contract/wire/agent.ts';
import type { LogEntry } from '../../contract/wire/events.ts';
import { sessionLine } from '../../server/page/session-lines.ts';
import { until } from '../runner/fixture.ts';
import { LEAD, pagesForFile } from './fixtures/pages.ts';
import { stubBrowser } from './fixtures/stub-browser.ts';

const XSS = `"'><img src=x onerror=alert(1)><script>alert(1)</script>`;
const BAD_LINK = 'javascript:alert(1)';
const AT = '2026-01-01T14:32:01.000Z';

const { api, known, pass, state } = pagesForFile();

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

  test('shows everything that an agent can write as text', async () => {
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

  test('makes invisible characters visible everywhere', async () => {
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

  test('has one script and one style, which its policy allows by hash, and loads nothing', async () => {
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
  test("is streamed from the log as plain lines, from the browser's last event to the end of the agent", async () => {
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
  test('shows each line once, as text, and reloads the state after changes', async () => {
    const [, source = ''] = /<script>([^]*?)<\/script>/.exec(await (await fetch(`${api.url}/${LEAD}`)).text()) ?? [];
    // The token of an ancestor is valid too.
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
