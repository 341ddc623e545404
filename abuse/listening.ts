// Finds the ports on which the processes of a testbed listen.
import { readdir, readFile, readlink } from 'node:fs/promises';

/** TCP ports of this host with a listening process whose command line or environment contains the folder. */
export async function listeningPorts(folder: string): Promise<readonly number[]> {
  const [sockets, inodes] = await Promise.all([listening(), socketsOf(folder)]);
  return [...new Set(sockets.filter(({ inode }) => inodes.has(inode)).map(({ port }) => port))];
}

async function listening(): Promise<readonly { readonly port: number; readonly inode: string }[]> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const rows = tables.flatMap((table) => table.split('\n').slice(1)).map((line) => line.trim().split(/\s+/));
  return rows
    .filter((fields) => fields[3] === '0A')
    .map((fields) => ({ port: Number.parseInt(fields[1]?.split(':')[1] ?? '', 16), inode: fields[9] ?? '' }));
}

async function socketsOf(folder: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const texts = await Promise.all(
      ['cmdline', 'environ'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
    );
    if (!texts.some((text) => text.includes(folder))) continue;
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined) found.add(inode);
    }
  }
  return found;
}
