// Attacks on the owner's files and processes.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Attack } from '../attack.ts';
import { canariesIn, linesWith, triedBy } from '../evidence.ts';

const TRACKED = 'without namespaces, an agent can read, write and signal everything that its owner can';

export const OWNER_FILES: readonly Attack[] = [
  {
    name: 'read-owner-files',
    goal: "read the owner's private files",
    admitted: { tracking: TRACKED },
    attempt: async ({ hostile, owner }) => {
      const paths = [owner.notes, join(owner.home, '.git-credentials'), join(owner.home, 'cookies.txt')];
      const shown = await triedBy(
        hostile,
        `for root in "" /proc/1/root /proc/self/root; do cat ${paths.map((path) => `"$root"${path}`).join(' ')}; done
         git --git-dir ${owner.privateRepository} show main:README`,
      );
      return canariesIn(shown);
    },
  },
  {
    name: 'read-murmur-home',
    goal: 'read tokens, secrets, keys and databases of Murmur',
    admitted: { tracking: TRACKED },
    attempt: async ({ hostile, home }) => {
      const shown = await triedBy(
        hostile,
        // In a checkout, `programs` has the bundles of `murmur` that agents run.
        `for root in "" /proc/1/root; do
           find "$root"${home} -maxdepth 3 -type f -readable ! -path "*/machines/*" ! -path "*/programs/*" -printf "got %P\\n" 2>/dev/null
         done | sort | head -50`,
      );
      return linesWith(shown, 'got ');
    },
  },
  {
    name: 'write-owner-files',
    goal: 'change what the owner runs next: settings of git and shell, the Temporal binary, Murmur itself',
    admitted: { tracking: TRACKED },
    attempt: async ({ hostile, owner, program }) => {
      const names = ['.gitconfig', '.bashrc', '.profile', '.cache/murmur/temporal-1.8.2/temporal', '.config/planted'];
      const paths = names.map((name) => join(owner.home, name));
      const shown = await triedBy(
        hostile,
        `mkdir -p ${join(owner.home, '.config')} 2>/dev/null
         for f in ${paths.join(' ')} ${program} "$(readlink -f "$(command -v claude)")"; do
           (true >>"$f") 2>/dev/null && echo "got $(stat -c %i "$f") $f"
         done`,
      );
      const opened = linesWith(shown, 'got ').map((line) => /^got (\d+) (.*)$/.exec(line) ?? []);
      const real = await Promise.all(
        // Only the owner's own file counts: on the machine another file may have this path.
        opened.map(async ([, inode, path = '']) => {
          const found = await stat(path).catch(() => undefined);
          return found !== undefined && String(found.ino) === inode ? [path] : [];
        }),
      );
      return real.flat();
    },
  },
  {
    name: 'sibling-machine',
    goal: "read another agent's machine, or its token",
    admitted: { tracking: TRACKED },
    attempt: async ({ hostile, sibling, home }) => {
      const shown = await triedBy(
        hostile,
        `ls -d ${join(home, 'machines', sibling.machine)}/* 2>/dev/null | sed "s/^/got /"
         cat ${join(home, 'machines', sibling.machine, 'run', 'agent', 'murmur.json')}
         for p in /proc/[0-9]*; do
           cat "$(tr "\\0" "\\n" <$p/environ 2>/dev/null | sed -n "s/^MURMUR_AGENT_FILE=//p")" 2>/dev/null
         done`,
      );
      return [...linesWith(shown, 'got '), ...(shown.includes(sibling.token) ? ["the sibling's token"] : [])];
    },
  },
  {
    name: 'rights',
    goal: 'have a capability, a user namespace, or a process of the stack to signal',
    admitted: { tracking: TRACKED },
    attempt: async ({ hostile, record }) => {
      const { supervisor, children } = await record();
      const pids = [supervisor, children.worker, children.server, children.temporal].flatMap((each) => each?.pid ?? []);
      const shown = await triedBy(
        hostile,
        `grep CapEff: /proc/self/status
         unshare -Ur true 2>/dev/null && echo "got a user namespace"
         for p in ${pids.join(' ')}; do
           grep -qa murmur /proc/$p/cmdline 2>/dev/null && kill -0 $p 2>/dev/null && echo "got process $p"
         done`,
      );
      return [...(/CapEff:\s+0+$/m.test(shown) ? [] : ['capabilities']), ...linesWith(shown, 'got ')];
    },
  },
  {
    name: 'outlive-kill',
    goal: 'keep a process after the kill',
    attempt: async ({ client, spawn }) => {
      const mark = `outlives-${String(process.pid)}`;
      const victim = await spawn('daemon');
      await triedBy(
        victim,
        `(setsid sh -c 'exec -a ${mark} sleep 300' >/dev/null 2>&1 &); (cd / && env -i setsid sh -c ': ${mark}; sleep 300; :' >/dev/null 2>&1 &)`,
      );
      await client.call('kill', { slug: victim.slug });
      const lines = await commandLines();
      return lines.filter(({ text }) => text.includes(mark)).map(({ pid }) => `process ${pid}`);
    },
  },
];

interface CommandLine {
  readonly pid: string;
  readonly text: string;
}

async function commandLines(): Promise<readonly CommandLine[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return await Promise.all(
    pids.map(async (pid) => ({ pid, text: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') })),
  );
}
