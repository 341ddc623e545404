// An agent controls its environment, so no program with more rights than the agent may get any of it.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MARKER } from '../../../runner/isolation/marker.ts';
import { descendantsOf, listFromProc } from '../../../runner/isolation/process-table.ts';
import { HeldMachine } from './held-machine.ts';
import type { ProgramEnd } from './holder.ts';
import { asRoot, asUser, tracked } from './variants.ts';

jest.setTimeout(60_000);

const run = promisify(execFile);
const BASH = '/bin/bash';
const isRoot = process.getuid?.() === 0;
const hasCompiler = await run('cc', ['--version']).then(
  () => true,
  () => false,
);

/** A library that records user and capabilities of the process that loads it. */
const LIBRARY = `
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
__attribute__((constructor)) static void loaded(void) {
  char path[4096], line[256], text[512] = "";
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (!strncmp(line, "Uid:", 4) || !strncmp(line, "CapEff:", 7)) strcat(text, line);
  snprintf(path, sizeof path, "%s/%d-%d", getenv("LOADED"), getpid(), rand());
  int file = open(path, O_CREAT | O_WRONLY, 0666);
  if (file >= 0) write(file, text, strlen(text));
}`;

for (const { name, isPossible, options } of [asRoot, asUser, tracked]) {
  const shells = isRoot && existsSync(BASH) && options.kind === 'namespace' ? [undefined, BASH] : [undefined];
  for (const shell of shells) {
    const title = `the environment of a program: ${name}${shell === undefined ? '' : ', where sh is bash'}`;
    (isPossible ? describe : describe.skip)(title, () => {
      let machine: HeldMachine;
      beforeAll(async () => {
        machine = await HeldMachine.create({ ...options, ...(shell === undefined ? {} : { shell }) });
      });
      afterAll(async () => {
        await machine.remove();
      });

      it('reaches only the program: its parent processes have only the mark of the machine', async () => {
        const env = { SECRET: `s-${Math.random().toString(36).slice(2)}` };
        const pid = await machine.start(['sh', '-c', 'while read -r x; do echo ready; done'], env);
        expect(await machine.ask({ op: 'ask', pid, line: '' })).toBe('ready');
        const chain = [pid, ...descendantsOf([pid], listFromProc()).map((entry) => entry.pid)];
        const environments = await Promise.all(
          chain.map(async (each) => (await readFile(`/proc/${String(each)}/environ`, 'utf8')).split('\0').slice(0, -1)),
        );
        const holders = environments.filter((each) => !each.includes(`SECRET=${env.SECRET}`));
        expect(environments.length - holders.length).toBe(1);
        expect(holders.length).toBeGreaterThan(0);
        // Bash adds these to the environment of its children.
        const own = /^(PWD|OLDPWD|SHLVL|_)=/;
        for (const each of holders) {
          expect(each.filter((entry) => !own.test(entry))).toEqual([expect.stringMatching(`^${MARKER}=`)]);
        }
        await machine.ask({ op: 'endAll' });
      });

      (hasCompiler && process.platform === 'linux' ? it : it.skip)(
        'makes no program with more rights load code',
        async () => {
          const folder = await mkdtemp(join(machine.paths.work, 'library-'));
          await writeFile(join(folder, 'library.c'), LIBRARY);
          await run('cc', ['-shared', '-fPIC', '-o', join(folder, 'library.so'), join(folder, 'library.c')]);
          await chmod(folder, 0o777);
          if (options.holderUid !== undefined) await chown(folder, options.holderUid, options.holderUid);
          const env = { LD_PRELOAD: join(folder, 'library.so'), LOADED: folder };
          expect(await machine.run('grep -E "^(Uid|CapEff):" /proc/self/status', { env })).toMatchObject({ code: 0 });
          const seen = (await readdir(folder)).filter((each) => !each.startsWith('library'));
          expect(seen.length).toBeGreaterThan(0);
          const uid = String(options.agentUid ?? options.holderUid ?? process.getuid?.());
          // With tracking, the agent's programs have the caller's capabilities.
          const capabilities = options.kind === 'tracking' ? /CapEff:\s/ : /CapEff:\s0000000000000000/;
          for (const each of seen) {
            const text = await readFile(join(folder, each), 'utf8');
            expect(text).toMatch(new RegExp(`Uid:\\s${uid}\\s${uid}\\s`));
            expect(text).toMatch(capabilities);
          }
          await rm(folder, { recursive: true });
        },
      );

      it('arrives complete with any content', async () => {
        const bytes = Array.from({ length: 0x2ff }, (_, index) => String.fromCharCode(index + 1)).join('');
        const env = {
          BYTES: bytes,
          LINES: `\n\n it's "$(exit 3)" \`x\` \\ \n`,
          EMPTY: '',
          IFS: 'abc',
          PS4: '$(touch no)',
          ENV: '/nowhere',
          BASH_ENV: '/nowhere',
          LC_ALL: 'nowhere.UTF-8',
          OPTIND: '7',
        };
        const script = 'process.stdout.write(JSON.stringify(process.env))';
        const pid = await machine.start([process.execPath, '-e', script], env);
        const end = await machine.ask<ProgramEnd>({ op: 'end', pid });
        expect(end).toMatchObject({ code: 0, stderr: '' });
        expect(JSON.parse(end.stdout)).toMatchObject(env);
      });

      it('excludes names that a shell cannot export, and the program starts despite read-only variables of the shell', async () => {
        const env = {
          'npm.x-y': '1',
          'BASH_FUNC_f%%': '() { :; }',
          '': 'x',
          '1A': 'x',
          UID: 'none',
          EUID: 'none',
          PPID: 'none',
          BASHOPTS: 'none',
          SHELLOPTS: 'none',
          BASH_VERSINFO: 'none',
          OPTIND: 'none',
          GIVEN: 'yes',
        };
        const end = await machine.run('echo "$GIVEN"', { env });
        expect(end).toMatchObject({ code: 0, stdout: 'yes\n', stderr: '' });
      });

      it('may be as large as the system allows; a larger one ends the program with a reason', async () => {
        const value = 'x'.repeat(100_000);
        const of = (count: number): Record<string, string> =>
          Object.fromEntries(Array.from({ length: count }, (_, index) => [`SECRET_${String(index)}`, value]));
        expect(await machine.run('env | wc -c', { env: of(12) })).toMatchObject({
          code: 0,
          stdout: expect.stringMatching(/^ *12\d{5}\n$/),
        });
        const end = await machine.run('echo started', { env: of(64) });
        expect(end).toMatchObject({ stdout: '', stderr: expect.stringMatching(/[Aa]rgument list too long/) });
        expect(end.code).toBe(126);
      });
    });
  }
}
