import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { endProcess, identityOf, isRunning } from '../../stack/process.ts';

async function start(source: string) {
  const child = spawn(process.execPath, ['-e', `${source}; console.log('up')`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  const identity = await identityOf(child.pid ?? 0);
  if (identity === undefined) throw new Error('the process is not there');
  return identity;
}

describe('a process', () => {
  it('gets SIGTERM and is gone afterwards', async () => {
    const identity = await start('setInterval(() => 0, 1000)');
    expect(await endProcess(identity, 30_000)).toBe('ended');
    expect(await isRunning(identity)).toBe(false);
    expect(await endProcess(identity, 30_000)).toBe('absent');
  });

  it('is killed when it does not end in time', async () => {
    const identity = await start("process.on('SIGTERM', () => 0); setInterval(() => 0, 1000)");
    expect(await endProcess(identity, 50)).toBe('killed');
    expect(await isRunning(identity)).toBe(false);
  });

  it('is not confused with another process with the same id', async () => {
    const identity = await start('setInterval(() => 0, 1000)');
    const earlier = { ...identity, started: 'earlier' };
    expect(await isRunning(earlier)).toBe(false);
    expect(await endProcess(earlier, 1_000)).toBe('absent');
    expect(await isRunning(identity)).toBe(true);
    await endProcess(identity, 30_000);
  });
});
