// The holder of a port: the process that a connection to 127.0.0.1 reaches.
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, ListenOptions, Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parseLsof, parseProcNet } from '../../../runner/isolation/listening-sockets.ts';
import { HeldMachine } from './held-machine.ts';
import { asRoot, asUser, tracked } from './variants.ts';

jest.setTimeout(60_000);

/** Listens with the options of each input line and prints the port. */
const LISTENER = `require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const server = require('node:net').createServer().listen(JSON.parse(line), () => console.log(server.address().port));
});`;

const hasIpv6 = Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === '::1'));

for (const { name, isPossible, options } of [asRoot, asUser, tracked]) {
  (isPossible ? describe : describe.skip)(`who listens on a port: ${name}`, () => {
    const outside: Server[] = [];
    let machine: HeldMachine;
    let listener: number;
    beforeAll(async () => {
      machine = await HeldMachine.create(options);
      listener = await machine.start([process.execPath, '-e', LISTENER]);
    });
    afterEach(async () => {
      for (const server of outside.splice(0)) await new Promise((resolve) => server.close(resolve));
    });
    afterAll(async () => {
      await machine.remove();
    });

    /** Makes a program on the machine listen; returns the port. */
    async function inside(listen: ListenOptions, pid = listener): Promise<number> {
      return Number(await machine.ask<string>({ op: 'ask', pid, line: JSON.stringify({ port: 0, ...listen }) }));
    }

    /** Makes this process listen; returns the port. */
    async function elsewhere(listen: ListenOptions): Promise<number> {
      const server = createServer();
      server.listen({ port: 0, ...listen });
      await once(server, 'listening');
      outside.push(server);
      return (server.address() as AddressInfo).port;
    }

    async function holderOf(port: number): Promise<string> {
      return await machine.ask<string>({ op: 'portHolder', port });
    }

    it('is inside for a process of the machine on 127.0.0.1 and on all addresses', async () => {
      for (const host of ['127.0.0.1', '0.0.0.0', ...(hasIpv6 ? ['::'] : [])]) {
        expect([host, await holderOf(await inside({ host }))]).toEqual([host, 'inside']);
      }
    });

    it('is outside for any other process: the runner itself, or a service of the owner', async () => {
      expect(await holderOf(await machine.ask<number>({ op: 'listen' }))).toBe('outside');
      for (const host of ['127.0.0.1', '0.0.0.0']) expect(await holderOf(await elsewhere({ host }))).toBe('outside');
    });

    it('is not inside when the machine listens on the same port of another address only', async () => {
      const other = hasIpv6 ? '::1' : '127.0.0.2';
      expect(await holderOf(await inside({ host: other }))).toBe('nobody');
      for (const host of ['127.0.0.2', ...(hasIpv6 ? ['::1'] : [])]) {
        const port = await elsewhere({ host: '127.0.0.1' });
        expect(await inside({ host, port })).toBe(port);
        expect([host, await holderOf(port)]).toEqual([host, 'outside']);
        const own = await inside({ host: '127.0.0.1' });
        await elsewhere({ host, port: own });
        expect([host, await holderOf(own)]).toEqual([host, 'inside']);
      }
      if (!hasIpv6) return;
      const port = await elsewhere({ host: '0.0.0.0' });
      await inside({ host: '::', port, ipv6Only: true });
      expect(await holderOf(port)).toBe('outside');
    });

    it('is not inside when another process shares the port and may get the connection', async () => {
      // Only processes of one user can share a port.
      if (options.agentUid !== undefined || options.holderUid !== undefined) return;
      const port = await elsewhere({ host: '127.0.0.1', reusePort: true });
      await inside({ host: '127.0.0.1', port, reusePort: true });
      expect(await holderOf(port)).toBe('outside');
    });

    it('is inside for an orphaned process in another session, and none once it has ended', async () => {
      const script = `exec 3<&0; { setsid '${process.execPath}' -e "$1" <&3; } & exec 3<&-; exec sleep 1000`;
      const port = await inside({ host: '127.0.0.1' }, await machine.start(['sh', '-c', script, 'sh', LISTENER]));
      expect(await holderOf(port)).toBe('inside');
      await machine.ask({ op: 'endAll' });
      expect(await holderOf(port)).toBe('nobody');
    });
  });
}

describe('listeners of the system', () => {
  it('are read from /proc on this architecture', () => {
    if (new Uint8Array(new Uint32Array([1]).buffer)[0] !== 1) return;
    const line = (local: string, state: string, uid: number, inode: number): string =>
      `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  ${String(uid)}  0 ${String(inode)} 2 0`;
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      line('0100007F:0BB8', '0A', 1000, 7),
      line('00000000:0BB8', '0A', 1001, 8),
      line('0000000000000000FFFF00000100007F:0BB8', '0A', 1002, 9),
      line('00000000000000000000000000000000:0BB8', '0A', 1003, 10),
      line('0100007F:0BB8', '01', 1004, 11),
      line('0100007F:0BB9', '0A', 1005, 12),
      line('0A00000A:0BB8', '0A', 1006, 13),
      line('00000000000000000000000001000000:0BB8', '0A', 1007, 14),
      '',
    ];
    expect(parseProcNet(table.join('\n'), 3000)).toEqual([
      { address: '127.0.0.1', uid: 1000, inode: '7' },
      { address: 'any', uid: 1001, inode: '8' },
      { address: '127.0.0.1', uid: 1002, inode: '9' },
      { address: 'any6', uid: 1003, inode: '10' },
    ]);
  });

  it('are read from lsof', () => {
    const output = [
      ...['p501', 'f12', 'tIPv4', 'n127.0.0.1:3000', 'f13', 'tIPv6', 'n*:3000'],
      ...['p502', 'f3', 'tIPv4', 'n*:3000', 'f4', 'tIPv4', 'n192.168.1.5:3000', 'f5', 'tIPv6', 'n[::1]:3000', ''],
    ];
    expect(parseLsof(output.join('\n'))).toEqual([
      { address: '127.0.0.1', pid: 501 },
      { address: 'any6', pid: 501 },
      { address: 'any', pid: 502 },
    ]);
  });
});
