import { describe, expect, it } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { EventLog } from '../../../drivers/events/event-log.ts';
import { KEPT_ENTRIES } from '../../../drivers/events/event-log.ts';
import { agentFolder, LOG_FILE } from '../../../drivers/events/agent-folder.ts';
import { followed, notes } from '../../../drivers/events/conformance-fixture.ts';
import { describeEventLog } from '../../../drivers/events/conformance.ts';
import { createFileEventLog } from '../../../drivers/events/file.ts';
import { encodeLines } from '../../../drivers/events/log-line.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const AGENT = 'w/default/u/jane/fix-auth';
const TIMEOUT = 60_000;

describeEventLog('file', async () => {
  const folder = await temporaryFolder();
  return { log: createFileEventLog(folder.path), [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
});

describe('file event log', () => {
  it('two instances on the same folder share one log', async () => {
    await using folder = await temporaryFolder();
    const [one, two] = [createFileEventLog(folder.path), createFileEventLog(folder.path)];
    const entries = followed(two, AGENT, 0, 4);
    await one.append(AGENT, 'runner', notes(1, 2));
    expect(await two.append(AGENT, 'runner', notes(1, 3))).toBe(3);
    expect(await one.append(AGENT, 'runner', notes(3, 4))).toBe(4);
    expect((await entries).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  it('loses the unfinished line of a killed writer and nothing else', async () => {
    await using folder = await temporaryFolder();
    const log = createFileEventLog(folder.path);
    await log.append(AGENT, 'runner', notes(1, 2));
    await appendFile(fileOf(folder.path), '\n{"id":3,"pos":1,"last":[3,0],"source":"runner","seq":3,"at":"","ev');
    expect(await log.read(AGENT, 0, 10)).toHaveLength(2);
    expect(await log.lastSeq(AGENT, 'runner')).toBe(2);
    expect(await log.append(AGENT, 'runner', notes(3, 4))).toBe(4);
    expect(await seqsOf(createFileEventLog(folder.path))).toEqual([1, 2, 3, 4]);
  });

  it.each([
    ['repeats it and adds one', notes(2, 3)],
    ['is empty', []],
    ['repeats it', notes(2, 2)],
  ])('counts a complete line without its newline once, when the next append %s', async (_, events) => {
    await using folder = await temporaryFolder();
    const log = createFileEventLog(folder.path);
    await log.append(AGENT, 'runner', notes(1, 2));
    const content = await readFile(fileOf(folder.path));
    await writeFile(fileOf(folder.path), content.subarray(0, -1));
    const last = events.at(-1)?.seq ?? 2;
    const reader = createFileEventLog(folder.path);
    expect(await reader.lastSeq(AGENT, 'runner')).toBe(1);
    expect(await reader.append(AGENT, 'runner', events)).toBe(last);
    expect(await seqsOf(reader)).toEqual(notes(1, last).map(({ seq }) => seq));
    expect(await seqsOf(log)).toEqual(notes(1, last).map(({ seq }) => seq));
  });

  it('finds entries in a long log to which a thawed writer appended lines with outdated positions', async () => {
    await using folder = await temporaryFolder();
    const log = createFileEventLog(folder.path);
    const long = 'x'.repeat(2_000);
    await log.append(AGENT, 'runner', notes(1, 100, long));
    // Repeated events, with the ids and positions that were right when the writer froze.
    const late = encodeLines(notes(1, 100, long), 'runner', { id: 7, last: { runner: 0, workflow: 3 } }, 0);
    await appendFile(fileOf(folder.path), late);
    await log.append(AGENT, 'runner', notes(101, 150, long));
    await appendFile(fileOf(folder.path), late);
    const reader = createFileEventLog(folder.path);
    expect(await reader.lastSeq(AGENT, 'runner')).toBe(150);
    expect(await reader.lastSeq(AGENT, 'workflow')).toBe(0);
    for (const after of [0, 20, 99, 100, 101, 149]) {
      expect((await reader.read(AGENT, after, 1))[0]).toMatchObject({ id: after + 1, seq: after + 1 });
    }
    expect((await reader.tail(AGENT, 2)).map(({ id, seq }) => [id, seq])).toEqual([
      [149, 149],
      [150, 150],
    ]);
    expect(await reader.append(AGENT, 'runner', notes(151, 151))).toBe(151);
  });

  it('returns the newest entries when they need more than one read', async () => {
    await using folder = await temporaryFolder();
    const log = createFileEventLog(folder.path);
    await log.append(AGENT, 'runner', notes(1, 300, 'x'.repeat(2_000)));
    const newest = await log.tail(AGENT, 200);
    expect(newest.map(({ seq }) => seq)).toEqual(notes(101, 300).map(({ seq }) => seq));
  });

  it('skips damaged lines', async () => {
    await using folder = await temporaryFolder();
    const log = createFileEventLog(folder.path);
    await log.append(AGENT, 'runner', notes(1, 1));
    await appendFile(fileOf(folder.path), 'null\n[]\n{"source":"runner"}\n{"source":"x","seq":9,"event":{}}\n\0\n');
    expect(await log.append(AGENT, 'runner', notes(2, 2))).toBe(2);
    expect(await seqsOf(createFileEventLog(folder.path))).toEqual([1, 2]);
  });

  it('starts again at 1 when the log is removed', async () => {
    await using folder = await temporaryFolder();
    const log = createFileEventLog(folder.path);
    await log.append(AGENT, 'runner', notes(1, 5));
    await rm(dirname(fileOf(folder.path)), { recursive: true });
    expect(await log.lastSeq(AGENT, 'runner')).toBe(0);
    expect(await log.append(AGENT, 'runner', notes(1, 1))).toBe(1);
  });

  it('creates files that only the owner can read', async () => {
    await using folder = await temporaryFolder();
    await createFileEventLog(folder.path).append(AGENT, 'runner', notes(1, 1));
    expect((await stat(fileOf(folder.path))).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(fileOf(folder.path)))).mode & 0o777).toBe(0o700);
  });

  it.each(['', 'a//b', '/a', 'x'.repeat(300)])('rejects the agent id %j', async (agent) => {
    await using folder = await temporaryFolder();
    const log = createFileEventLog(folder.path);
    await expect(log.append(agent, 'runner', notes(1, 1))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(log.read(agent, 0, 1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('stays within its folder for any agent id', () => {
    expect(agentFolder('/root', '../../x')).toBe('/root/%2E./%2E./x');
    expect(agentFolder('/root', './@events.jsonl')).toBe('/root/%2E/%40events.jsonl');
  });

  it('throws UNAVAILABLE that names the agent when the disk fails', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'file'), '');
    const log = createFileEventLog(join(folder.path, 'file'));
    const refusal = { code: 'UNAVAILABLE', message: expect.stringContaining(AGENT) };
    await expect(log.append(AGENT, 'runner', notes(1, 1))).rejects.toMatchObject(refusal);
  });
});

describe('file event log, processes', () => {
  it(
    'counts each event once when two processes append the same numbers concurrently',
    async () => {
      await using folder = await temporaryFolder();
      const log = createFileEventLog(folder.path);
      const entries = followed(log, AGENT, 0, 600);
      await using one = await writer(folder.path, 'runner', 400, 'one');
      await using two = await writer(folder.path, 'runner', 400, 'two');
      await using three = await writer(folder.path, 'workflow', 200, 'three');
      const writers = [one, two, three];
      for (const each of writers) each.start();
      for (const each of writers) expect(await each.exit).toBe(0);
      const read = await log.read(AGENT, 0, 1_000);
      expect(read.map(({ id }) => id)).toEqual(notes(1, 600).map(({ seq }) => seq));
      for (const [source, count] of [
        ['runner', 400],
        ['workflow', 200],
      ] as const) {
        const seqs = read.filter((entry) => entry.source === source).map(({ seq }) => seq);
        expect(seqs).toEqual(notes(1, count).map(({ seq }) => seq));
      }
      expect(await entries).toEqual(read);
      expect((await createFileEventLog(folder.path).tail(AGENT, 10)).map(({ id }) => id)).toEqual(
        notes(591, 600).map(({ seq }) => seq),
      );
    },
    TIMEOUT,
  );

  it(
    'loses and duplicates nothing when logs are cut while others append',
    async () => {
      await using folder = await temporaryFolder();
      await using log = createFileEventLog(folder.path);
      await log.append(AGENT, 'runner', notes(1, KEPT_ENTRIES));
      const entries = followed(log, AGENT, 0, KEPT_ENTRIES + 1_500);
      await using workflow = await writer(folder.path, 'workflow', 1_500, 'new');
      workflow.start();
      let cuts = 0;
      while (workflow.process.exitCode === null) {
        cuts += await log.prune(new Date(Date.now() + 60_000));
        await new Promise(setImmediate);
      }
      expect(await workflow.exit).toBe(0);
      expect(cuts).toBeGreaterThan(0);
      const seqs = (await entries).filter(({ source }) => source === 'workflow').map(({ seq }) => seq);
      expect(seqs).toEqual(notes(1, 1_500).map(({ seq }) => seq));
      expect((await log.tail(AGENT, 1))[0]).toMatchObject({ id: KEPT_ENTRIES + 1_500, source: 'workflow', seq: 1_500 });
      expect(await log.lastSeq(AGENT, 'runner')).toBe(KEPT_ENTRIES);
    },
    TIMEOUT,
  );

  it(
    'continues after a writer was killed with SIGKILL, at any moment',
    async () => {
      await using folder = await temporaryFolder();
      for (let round = 1; round <= 3; round += 1) {
        await using killed = await writer(folder.path, 'runner', 100_000, 'x'.repeat(5_000));
        killed.start();
        await killed.saysNumber(round * 20);
        killed.process.kill('SIGKILL');
        await killed.exit;
      }
      const log = createFileEventLog(folder.path);
      const last = await log.lastSeq(AGENT, 'runner');
      expect(last).toBeGreaterThanOrEqual(60);
      expect(await log.append(AGENT, 'runner', notes(last + 1, last + 1))).toBe(last + 1);
      expect(await seqsOf(log)).toEqual(notes(1, last + 1).map(({ seq }) => seq));
    },
    TIMEOUT,
  );

  it(
    'is not blocked by a frozen writer, and drops its lines after it thaws',
    async () => {
      await using folder = await temporaryFolder();
      const log = createFileEventLog(folder.path);
      await using frozen = await writer(folder.path, 'runner', 2_000, 'frozen');
      frozen.start();
      await frozen.saysNumber(20);
      frozen.process.kill('SIGSTOP');
      const last = await log.lastSeq(AGENT, 'runner');
      await log.append(AGENT, 'runner', notes(last + 1, 2_000, 'thawed'));
      frozen.process.kill('SIGCONT');
      expect(await frozen.exit).toBe(0);
      expect(await seqsOf(log)).toEqual(notes(1, 2_000).map(({ seq }) => seq));
    },
    TIMEOUT,
  );
});

function fileOf(root: string): string {
  return join(agentFolder(root, AGENT), LOG_FILE);
}

async function seqsOf(log: EventLog): Promise<readonly number[]> {
  const entries = await log.read(AGENT, 0, 100_000);
  expect(entries.map(({ id }) => id)).toEqual(entries.map((_, index) => index + 1));
  return entries.map(({ seq }) => seq);
}

interface Writer extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly exit: Promise<number | null>;
  start(): void;
  saysNumber(number: number): Promise<void>;
}

/** A process that is ready to append events 1 to `count`. */
async function writer(root: string, source: string, count: number, text: string): Promise<Writer> {
  await mkdir(root, { recursive: true });
  const script = join(import.meta.dirname, 'appending-process.ts');
  const child = spawn(process.execPath, [script, root, AGENT, source, String(count), text], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exit = once(child, 'close').then(([code]) => code as number | null);
  const lines = createInterface({ input: child.stdout });
  const says = (isIt: (line: string) => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      lines.on('line', (line) => {
        if (isIt(line)) resolve();
      });
      lines.on('close', () => reject(new Error('the writer ended')));
    });
  const started = says((line) => line === 'ready');
  await started;
  return {
    process: child,
    exit,
    start: () => child.stdin.end('go'),
    saysNumber: (number) => says((line) => Number(line) >= number),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exit;
    },
  };
}
