// The page of an agent in a real browser: what a person sees live, and that no text of an agent is executed.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from '../../client/index.ts';
import type { AgentStatus } from '../../contract/wire/agent.ts';
import type { AgentEvent } from '../../contract/wire/events.ts';
import { startApi } from './fixtures/api.ts';
import type { Api } from './fixtures/api.ts';
import { chromiumPath, startBrowser } from './fixtures/browser.ts';
import type { Browser, Tab } from './fixtures/browser.ts';
import { knownAgents } from './fixtures/known-agents.ts';

const LEAD = 'w/default/u/alice/lead';
const AT = '2026-01-01T14:32:01.000Z';
/** Each part would leave a mark in the page if it ran. */
const MARKUP = `"'><img src=x onerror="window.acted=1"><script>window.acted=1</script><svg onload="window.acted=1">`;
const LONG = 'long'.repeat(100);

const DESKTOP = { width: 1_280, height: 800 };
const PHONE = { width: 360, height: 740, mobile: true };

const path = chromiumPath();
const whenChromium = path === undefined ? describe.skip : describe;

whenChromium(`the page of an agent in a browser${path === undefined ? ' (chromium is not installed)' : ''}`, () => {
  const known = knownAgents();
  const written = { runner: 0, workflow: 0 };
  let api: Api;
  let browser: Browser;
  let tab: Tab;

  beforeAll(async () => {
    api = await startApi({ parts: { temporal: known.client } });
    browser = await startBrowser(path ?? '');
    tab = await browser.tab();
    await tab.resize(DESKTOP);
    agentIs({});
    await tab.open(await linkTo('lead'));
    await tab.until(`document.querySelector('#state')`);
    expect(await tab.evaluate('[location.hash, document.cookie]')).toEqual(['', '']);
  }, 60_000);
  afterEach(() => {
    expect(tab.problems).toEqual([]);
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  }, 60_000);

  async function linkTo(slug: string, client = api.client): Promise<string> {
    return await client.call('agent_url', { slug, key: true });
  }

  function agentIs(status: Partial<AgentStatus>): void {
    known.agents.set(LEAD, { status, tasks: [] });
  }

  /** Writes to the event log. */
  async function tell(source: 'runner' | 'workflow', event: AgentEvent): Promise<void> {
    await api.parts.events.append(LEAD, source, [{ seq: (written[source] += 1), at: AT, event }]);
  }

  /** Reloads the page and waits for this text in its session. */
  async function open(lastText: string): Promise<void> {
    await tab.open(`${api.url}/${LEAD}`);
    await tab.until(`document.querySelector('.entry:last-child .text').textContent === ${JSON.stringify(lastText)}`);
  }

  function textOf(selector: string): Promise<string> {
    return tab.evaluate(`document.querySelector(${JSON.stringify(selector)}).innerText`);
  }

  test('shows phase, task and timeline, and new events without a reload', async () => {
    const timeline = [{ type: 'phase', phase: 'running', at: AT }] as const;
    agentIs({ phase: 'running', working_on: 'Fix the total', timeline });
    await tell('runner', { type: 'assistant_text', text: 'I look at the test.' });
    await open('I look at the test.');
    expect(await textOf('h1')).toBe('lead running');
    expect(await textOf('dl')).toContain('Fix the total');
    expect(await textOf('#state')).toMatch(/TIMELINE \(UTC\)\s+2026-01-01 14:32:01 ?running$/);

    await tab.evaluate('window.isTheSame = true');
    await tell('runner', { type: 'assistant_text', text: 'The total is right now.' });
    await tab.until(`document.querySelectorAll('.entry').length === 2`);
    expect(await textOf('#session')).toBe('14:32:01 I look at the test.\n14:32:01 The total is right now.');
    agentIs({ phase: 'idle', response: 'Done.', timeline: [...timeline, { type: 'phase', phase: 'idle', at: AT }] });
    await tell('workflow', { type: 'phase', phase: 'idle' });
    await tab.until(`document.querySelector('h1 .phase').innerText === 'idle'`);
    expect(await textOf('#state')).toMatch(/Done\.[^]*14:32:01 ?idle\n[^]*14:32:01 ?running$/);
    expect(await tab.evaluate('window.isTheSame')).toBe(true);
  });

  test('shows markup of an agent as text, without running it', async () => {
    agentIs({ working_on: MARKUP, response: MARKUP, timeline: [{ type: 'note', text: MARKUP, at: AT }] });
    await open('The total is right now.');
    await tell('runner', { type: 'tool_use', tool: MARKUP, tool_use_id: 't', input: MARKUP });
    await tell('workflow', { type: 'phase', phase: 'running' });
    await tab.until(`document.querySelector('.entry:last-child .text').textContent.includes('<img')`);
    const shown = await textOf('body');
    // Task, answer and timeline, and a label and a text of the session.
    expect(shown.split(MARKUP)).toHaveLength(6);
    expect(await tab.evaluate(`document.querySelectorAll('img, svg, body script').length`)).toBe(1);
    expect(await tab.evaluate('typeof window.acted')).toBe('undefined');
  });

  test('opens only in the tab in which its link was followed, also after a reload and for descendants', async () => {
    const kid = `${LEAD}/kid`;
    known.agents.set(kid, { status: { purpose: 'a child' }, tasks: [] });
    agentIs({ children: [{ slug: 'kid', spawn_id: 's', phase: 'idle', phase_since: AT, cost_usd: 0 }] });
    await tab.open(`${api.url}/${LEAD}`);
    await tab.until(`document.querySelector('#state a')`);
    await tab.evaluate(`document.querySelector('#state a').click()`);
    await tab.until(`document.querySelector('#state dl').innerText.includes('a child')`);
    expect(await tab.evaluate('location.pathname')).toBe(`/${kid}`);
    await tab.evaluate('location.reload()');
    await tab.until(`document.title === 'lead/kid · running'`);
    const other = await browser.tab();
    await other.open(`${api.url}/${LEAD}`);
    await other.until(`!document.querySelector('#closed').hidden`);
    expect(await other.evaluate(`document.body.innerText`)).toMatch(/^There is nothing to see here\s/);
    expect(other.problems).toEqual([]);
    // Another link to the open page: only the part after the # differs.
    await other.open(await linkTo('lead'));
    await other.until(`document.querySelector('#state')`);
    // The token is not valid for other agents, also with a similar name.
    await tab.open(`${api.url}/w/default/u/alice/leader`);
    await tab.until(`!document.querySelector('#closed').hidden`);
  });

  test('reveals nothing to a page of another port of the host', async () => {
    const heads: IncomingHttpHeaders[] = [];
    const page = `<script>document.title = JSON.stringify([document.cookie, document.referrer, sessionStorage.length])</script>`;
    const server = createServer((request, response) => {
      heads.push(request.headers);
      response.writeHead(200, { 'content-type': 'text/html' }).end(page);
    });
    await using _ = {
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const theirs = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/${LEAD}`;
    agentIs({ prs: [theirs] });
    const other = await browser.tab();
    await other.open(await linkTo('lead'));
    await other.until(`document.querySelector('#state a')`);
    await other.evaluate(`document.querySelector('#state a').click()`);
    await other.until(`document.title.startsWith('[')`);
    expect(await other.evaluate('[document.title, location.href]')).toEqual(['["","",0]', theirs]);
    await other.open(theirs);
    await other.until(`document.title.startsWith('[')`);
    expect(heads.length).toBeGreaterThan(1);
    for (const head of heads) {
      for (const name of ['cookie', 'authorization']) expect(head).not.toHaveProperty(name);
      // The page of that port requests its own image.
      expect(head.referer ?? theirs).toBe(theirs);
      expect(JSON.stringify(head)).not.toContain('murmur');
    }
  });

  test('says that its link has ended when the requesting token is revoked, and when the agent ends', async () => {
    const { id, token } = await api.client.call('auth_token_create', {});
    const other = await browser.tab();
    agentIs({ purpose: 'to be seen' });
    await other.open(await linkTo('lead', createClient({ url: api.url, token })));
    await other.until(`document.querySelector('#state')`);
    await api.client.call('auth_token_revoke', { id });
    await other.until(`!document.querySelector('#ended').hidden`);
    expect(await other.evaluate(`document.body.innerText`)).toContain('to be seen');
    await other.evaluate('location.reload()');
    await other.until(`!document.querySelector('#closed').hidden`);
    expect(await other.evaluate(`document.body.innerText`)).not.toContain('to be seen');

    const brief = 'w/default/u/alice/brief';
    known.agents.set(brief, { tasks: [] });
    await api.parts.events.append(brief, 'runner', [
      { seq: 1, at: AT, event: { type: 'assistant_text', text: 'Bye.' } },
    ]);
    await other.open(await linkTo('brief'));
    // The stream of the session is open.
    await other.until(`document.querySelector('.entry')`);
    known.agents.set(brief, { tasks: [], status: { phase: 'completed' }, ended: true });
    await api.parts.events.append(brief, 'workflow', [
      { seq: 1, at: AT, event: { type: 'phase', phase: 'completed' } },
    ]);
    await other.until(`!document.querySelector('#ended').hidden`);
    await other.until(`document.querySelector('h1 .phase').innerText === 'completed'`);
    // A link that is requested now is for the record.
    await other.open(await linkTo('brief'));
    await other.until(`document.title === 'brief · completed'`);
    expect(await other.evaluate(`document.querySelector('#ended').hidden`)).toBe(true);
  });

  test('is readable on a phone: nothing is wider than the screen, and long words do not cover other text', async () => {
    await tab.resize(PHONE);
    const branch = { repo: LONG, branch: LONG, head: LONG, pushed: true, dirty_files: 0 };
    agentIs({
      purpose: LONG,
      branches: [branch],
      prs: [`https://git.example/${LONG}`],
      children: [{ slug: LONG, spawn_id: 's', phase: 'idle', phase_since: AT, cost_usd: 0, response: LONG }],
      timeline: [{ type: 'note', text: LONG, at: AT }],
    });
    await tell('runner', { type: 'tool_use', tool: `mcp__${LONG}`, tool_use_id: 't', input: LONG });
    await open(LONG);
    expect(await tab.evaluate('[innerWidth, document.documentElement.scrollWidth]')).toEqual([360, 360]);
    const widthOf = (selector: string): Promise<number> =>
      tab.evaluate(`document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect().width`);
    expect(await widthOf('dd')).toBeGreaterThan(200);
    expect(await widthOf('.entry:last-child .text')).toBeGreaterThan(300);
    const sizes = `[...document.querySelectorAll('body *')].map((each) => parseFloat(getComputedStyle(each).fontSize))`;
    expect(await tab.evaluate(`Math.min(...${sizes})`)).toBeGreaterThanOrEqual(12);
    // At the end of the session, the phase is still visible.
    await tab.evaluate('window.scrollTo(0, document.body.scrollHeight)');
    expect(await tab.evaluate('window.scrollY')).toBeGreaterThan(0);
    expect(await tab.evaluate(`document.querySelector('h1').getBoundingClientRect().top`)).toBe(0);
  });
});
