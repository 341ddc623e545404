// Attack on calls to another agent's runner.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunnerAddress } from '../../contract/wire/runner.ts';
import type { Attack } from '../attack.ts';

export const RUNNERS: readonly Attack[] = [
  {
    name: 'impostor-runner',
    goal: "receive the token of a sibling's runner on the port of a killed one",
    attempt: async ({ home, hostile, spawn }) => {
      const sibling = await spawn('impersonated');
      const file = join(home, 'machines', sibling.machine, 'runner', 'address.json');
      const { pid, port } = JSON.parse(await readFile(file, 'utf8')) as RunnerAddress;
      process.kill(pid, 'SIGKILL');
      const code =
        `const fs=require('fs');const heard=process.env.HOME+'/heard';` +
        `require('http').createServer((q,s)=>{fs.appendFileSync(heard,q.method+' '+q.url+' '+q.headers.authorization+';');s.end('{}')})` +
        `.on('error',(e)=>fs.writeFileSync(heard,e.code)).listen(${String(port)},'127.0.0.1',()=>fs.writeFileSync(heard,'listens;'));` +
        `setTimeout(()=>process.exit(),60000)`;
      const shown = await hostile.shell(
        `rm -f ~/heard; (setsid node -e "${code}" >/dev/null 2>&1 &); for i in $(seq 100); do [ -s ~/heard ] && break; sleep 0.1; done; cat ~/heard`,
      );
      if (!shown.includes('listens;')) throw new Error(`nobody listens on the port: ${shown}`);
      await sibling.shell('true');
      const requests = (await hostile.shell('cat ~/heard')).split(';').filter((line) => /^[A-Z]+ \//.test(line));
      if (requests.length === 0) throw new Error('nobody asked for the runner that was killed');
      return requests.filter((line) => line.includes('Bearer') || !line.startsWith('GET /proof?'));
    },
  },
];
