// The scripted model over HTTP.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ScriptedModel, ScriptedModelOptions } from '../../../demo/model/scripted-model.ts';
import { startScriptedModel } from '../../../demo/model/scripted-model.ts';

const running: ScriptedModel[] = [];

async function start(options: ScriptedModelOptions = {}): Promise<ScriptedModel> {
  const model = await startScriptedModel(options);
  running.push(model);
  return model;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((model) => model.stop()));
});

type Message = { readonly role: string; readonly content: unknown };

function ask(
  model: ScriptedModel,
  messages: readonly Message[],
  body: object = {},
  headers: Record<string, string> = {},
) {
  return fetch(`${model.url}/v1/messages?beta=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': 'key', ...headers },
    body: JSON.stringify({ model: 'scripted', max_tokens: 100, messages, ...body }),
  });
}

/** The text and tool calls of a non-streamed answer. */
async function said(response: Response): Promise<readonly unknown[]> {
  const body = (await response.json()) as { content: { type: string; text?: string; name?: string }[] };
  return body.content.map(({ type, text, name }) => (type === 'text' ? text : name));
}

const user = (content: unknown): Message => ({ role: 'user', content });
const assistant = (content: unknown): Message => ({ role: 'assistant', content });

describe('a script in the prompt', () => {
  const prompt = user('do it [[ {"tool":"Bash","input":{"command":"[[ -f x ]] && ls"}}, {"text":"done"} ]] please');

  it('is played one step per answer, and acknowledged past its end', async () => {
    const model = await start();
    const toolResult = user([{ type: 'tool_result', tool_use_id: 't', content: 'x' }]);
    expect(await said(await ask(model, [prompt]))).toEqual(['Bash']);
    expect(await said(await ask(model, [prompt, assistant('.'), toolResult]))).toEqual(['done']);
    const past = await said(
      await ask(model, [prompt, assistant('.'), toolResult, assistant('done'), user('and now?')]),
    );
    expect(past).toEqual(['ACK 5: and now?']);
  });

  it('continues if a newer message has no script, and is replaced by a newer script', async () => {
    const model = await start();
    expect(await said(await ask(model, [prompt, assistant('.'), user('a note')]))).toEqual(['done']);
    expect(await said(await ask(model, [prompt, user('[[ {"text":"other"} ]]')]))).toEqual(['other']);
  });

  it('does not count the answer that Claude Code writes for a killed request', async () => {
    const model = await start();
    expect(await said(await ask(model, [prompt, assistant('No response requested.'), user('go on')]))).toEqual([
      'Bash',
    ]);
  });

  it('fails as often as requested, separately in each conversation', async () => {
    const model = await start();
    const failing = [user('[[ {"status":429,"headers":{"retry-after":"7"},"times":1,"text":"fine"} ]]')];
    for (const session of ['a', 'b']) {
      const headers = { 'x-claude-code-session-id': session };
      const refused = await ask(model, failing, {}, headers);
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '7']);
      expect(await refused.json()).toMatchObject({ error: { type: 'rate_limit_error' } });
      expect(await said(await ask(model, failing, {}, headers))).toEqual(['fine']);
    }
  });
});

describe('a script as a function', () => {
  it('gets the results of the tools', async () => {
    const model = await start({
      script: ({ toolResults: [result] }) =>
        result === undefined ? { tool: 'Bash', input: { command: 'cat' } } : { text: `read ${result.text}` },
    });
    const first = (await (await ask(model, [user('go')])).json()) as { content: { id: string }[] };
    const id = first.content[0]?.id;
    const messages = [
      user('go'),
      assistant([{ type: 'tool_use', id, name: 'Bash', input: {} }]),
      user([{ type: 'tool_result', tool_use_id: id, content: [{ type: 'text', text: 'the file' }] }]),
    ];
    expect(await said(await ask(model, messages))).toEqual(['read the file']);
  });

  it('can leave the answer to the prompt, wait, or be replaced', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const model = await start({ script: () => undefined });
    expect(await said(await ask(model, [user('[[ {"text":"prompted"} ]]')]))).toEqual(['prompted']);
    model.play(async () => {
      await held;
      return { text: 'held' };
    });
    const answer = ask(model, [user('wait')]);
    await model.waitForRequest(({ prompt }) => prompt === 'wait');
    release();
    expect(await said(await answer)).toEqual(['held']);
  });

  it('that throws leads to a server error with its message', async () => {
    const model = await start({
      script: () => {
        throw new Error('no such scene');
      },
    });
    const response = await ask(model, [user('go')]);
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('no such scene');
  });
});

describe('the stream', () => {
  it('carries thinking, text and tools as the Messages API does', async () => {
    const model = await start();
    const long = 'text with 🙂 and \u0007 '.repeat(40);
    const step = { thinking: 'hm', text: long, tool: 'Write', input: { file_path: 'a', content: 'b' } };
    const response = await ask(model, [user(`[[ ${JSON.stringify(step)} ]]`)], { stream: true });
    const events = (await response.text())
      .split('\n\n')
      .filter(Boolean)
      .map((event) => JSON.parse(event.slice(event.indexOf('data: ') + 6)) as Record<string, any>); // oxlint-disable-line typescript/no-explicit-any -- the wire is untyped here on purpose
    expect(events[0]?.type).toBe('message_start');
    expect(events.at(-1)?.type).toBe('message_stop');
    expect(
      events.filter(({ type }) => type === 'content_block_start').map((event) => event.content_block.type),
    ).toEqual(['thinking', 'text', 'tool_use']);
    const deltas = events.filter(({ type }) => type === 'content_block_delta').map(({ delta }) => delta);
    expect(deltas.map(({ text }) => text ?? '').join('')).toBe(long);
    expect(JSON.parse(deltas.map(({ partial_json }) => partial_json ?? '').join(''))).toEqual(step.input);
    expect(events.find(({ type }) => type === 'message_delta')?.delta.stop_reason).toBe('tool_use');
  });

  it.each(['start', 'mid', 'preend'])('breaks at the %s if requested', async (cut) => {
    const model = await start();
    const reading = ask(model, [user(`[[ {"text":"some words to say","cut":"${cut}"} ]]`)], { stream: true });
    await expect(reading.then((response) => response.text())).rejects.toThrow();
  });
});

describe('the record', () => {
  it('has prompt, history, system prompt, tools and credential of each request', async () => {
    const model = await start();
    await ask(
      model,
      [
        user([
          { type: 'text', text: '<system-reminder>x</system-reminder>' },
          { type: 'text', text: 'hello' },
        ]),
      ],
      { system: [{ type: 'text', text: 'be kind' }], tools: [{ name: 'Bash' }] },
    );
    const [request] = model.requests;
    expect(request).toMatchObject({
      number: 1,
      prompt: 'hello',
      system: 'be kind',
      tools: ['Bash'],
      credential: 'key',
      step: 0,
    });
    expect(request?.firstByteAt).toBeGreaterThanOrEqual(request?.at ?? Infinity);
  });

  it('lists the received requests if the awaited one does not arrive', async () => {
    const model = await start();
    await ask(model, [user('something else')]);
    await expect(model.waitForRequest(() => false, { timeoutMs: 10 })).rejects.toThrow(/1 came.*something else/);
  });

  it('keeps only the newest if requested', async () => {
    const model = await start({ keep: 2 });
    for (const prompt of ['a', 'b', 'c']) await ask(model, [user(prompt)]);
    expect(model.requests.map(({ prompt }) => prompt)).toEqual(['b', 'c']);
    expect(model.count()).toBe(3);
  });
});

describe('the server', () => {
  it('refuses an unexpected key', async () => {
    const model = await start({ credential: 'right' });
    expect((await ask(model, [user('x')])).status).toBe(401);
    expect((await ask(model, [user('x')], {}, { 'x-api-key': 'right' })).status).toBe(200);
  });

  it('serves 150 concurrent conversations', async () => {
    const model = await start();
    let release = (): void => undefined;
    const all = new Promise<void>((resolve) => (release = resolve));
    model.play(async ({ prompt }) => {
      if (model.count() === 150) release();
      await all;
      return { text: `hello ${prompt}` };
    });
    const names = Array.from({ length: 150 }, (_, index) => `agent ${index}`);
    const answers = await Promise.all(names.map(async (name) => await said(await ask(model, [user(name)]))));
    expect(answers).toEqual(names.map((name) => [`hello ${name}`]));
  });

  it('answers 404 to an unknown route and 400 to a body that is not JSON', async () => {
    const model = await start();
    expect((await fetch(`${model.url}/v1/nothing`)).status).toBe(404);
    expect((await fetch(`${model.url}/v1/messages`, { method: 'POST', body: 'no' })).status).toBe(400);
  });

  it('runs as a separate process until it is stopped', async () => {
    const main = fileURLToPath(new URL('../../../demo/model/main.ts', import.meta.url));
    const child = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const { url } = JSON.parse(line.toString()) as { url: string };
      expect((await fetch(`${url}/health`)).status).toBe(200);
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
