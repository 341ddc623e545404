// The fake backend: the port's suite, and what only it can do.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AskedModel, BackendHarness } from '../../../../runner/backends/conformance-fixture.ts';
import { script, SessionFixture } from '../../../../runner/backends/conformance-fixture.ts';
import { backendConformance } from '../../../../runner/backends/conformance.ts';
import type { FakeSession } from '../../../../runner/backends/fake/backend.ts';
import { createFakeBackend } from '../../../../runner/backends/fake/backend.ts';

function startHarness(): Promise<BackendHarness> {
  const asked: AskedModel[] = [];
  return Promise.resolve({
    backend: createFakeBackend({ onRequest: (request) => asked.push(request) }),
    env: { PATH: process.env['PATH'] ?? '' },
    asked: () => asked,
    tools: {
      shell: { name: 'Bash', step: (command) => ({ tool: 'Bash', input: { command } }) },
      edit: { name: 'Write', step: (path, content) => ({ tool: 'Write', input: { file_path: path, content } }) },
      read: { name: 'Read', step: (path) => ({ tool: 'Read', input: { file_path: path } }) },
      isActing: (name) => name !== 'Read',
    },
    tornLine: '{"role":"assistant","te',
    offered: () => [],
    kill: (session) => (session as FakeSession).crash(),
    stop: () => Promise.resolve(),
  });
}

backendConformance('fake', startHarness);

describe('the fake backend alone', () => {
  let fixture: SessionFixture;

  beforeEach(async () => {
    fixture = await SessionFixture.create(await startHarness());
  });
  afterEach(async () => await fixture.remove());

  it('crashes when its script says so, and continues after the crash when it is opened again', async () => {
    const session = await fixture.open();
    const call = { text: 'a', tool: 'Bash', input: { command: 'true' } };
    const end = await fixture.turn(session, script(call, { crash: true }, { text: 'b' }));
    expect(end).toMatchObject({ status: 'crashed', response: 'a' });
    const again = await fixture.open();
    expect(await fixture.turn(again, 'you were cut off')).toMatchObject({ status: 'completed', response: 'b' });
  });

  it.each([
    ['file', (folder: string, outside: string) => `ln -sf '${outside}/file' '${folder}'/*.jsonl`],
    ['file with two names', (folder: string, outside: string) => `ln -f '${outside}/file' '${folder}'/*.jsonl`],
    ['folder', (folder: string, outside: string) => `rm -r '${folder}' && ln -s '${outside}' '${folder}'`],
  ])('does not write its conversation through a link with which a tool replaced its %s', async (_, replacing) => {
    const outside = join(fixture.cwd, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'file'), 'kept');
    const command = replacing(join(fixture.home, '.murmur-fake'), outside);
    const turn = fixture.turn(await fixture.open(), script({ tool: 'Bash', input: { command } }, { text: 'done' }));
    await expect(turn).rejects.toThrow();
    const again = await fixture.open();
    expect(again.resumed).toBe(false);
    await expect(fixture.turn(again, 'and again')).rejects.toThrow();
    expect(await readdir(outside)).toEqual(['file']);
    expect(await readFile(join(outside, 'file'), 'utf8')).toBe('kept');
  });

  it.each([
    [401, 'authentication', false],
    [404, 'model_not_found', false],
    [413, 'context_too_long', false],
    [429, 'rate_limit', true],
    [500, 'server_error', true],
    [529, 'overloaded', true],
  ])('fails with status %i as %s', async (status, kind, retryable) => {
    const end = await fixture.turn(await fixture.open(), script({ status }));
    expect(end).toMatchObject({ status: 'api_error', error: { kind, retryable } });
  });

  it('reports its retries and then continues', async () => {
    const end = await fixture.turn(await fixture.open(), script({ status: 529, times: 2, text: 'at last' }));
    expect(end).toMatchObject({ status: 'completed', response: 'at last' });
    expect(fixture.eventsOf('retry').map(({ attempt, http_status }) => [attempt, http_status])).toEqual([
      [1, 529],
      [2, 529],
    ]);
  });

  it('acknowledges a prompt without a script', async () => {
    expect((await fixture.turn(await fixture.open(), 'hello')).response).toBe('ACK 1: hello');
  });

  it('tells the model that a tool does not exist', async () => {
    await fixture.turn(await fixture.open(), script({ tool: 'Fly' }, { text: 'oh' }));
    expect(fixture.eventsOf('tool_result')[0]).toMatchObject({ is_error: true, text: 'No such tool available: Fly' });
  });

  it('runs 200 sessions in one process', async () => {
    const fixtures = await Promise.all(
      Array.from({ length: 200 }, async () => SessionFixture.create(await startHarness())),
    );
    try {
      const ends = await Promise.all(
        fixtures.map(async (each) => each.turn(await each.open(), script({ text: 'hi' }))),
      );
      expect(ends.every(({ status }) => status === 'completed')).toBe(true);
    } finally {
      await Promise.all(fixtures.map((each) => each.remove()));
    }
  });
});
