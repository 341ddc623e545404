// A process that appends events one by one: `node appending-process.ts <root> <agent> <source> <count> <text>`.
// It prints `ready`, starts at the first byte on stdin, and prints each number once it is appended.
import { once } from 'node:events';
import { createFileEventLog } from '../../../drivers/events/file.ts';
import type { EventSource } from '../../../contract/wire/events.ts';

const [root = '', agent = '', source = '', count = '', text = ''] = process.argv.slice(2);
const log = createFileEventLog(root);
process.stdout.write('ready\n');
await once(process.stdin, 'data');
for (let seq = 1; seq <= Number(count); seq += 1) {
  await log.append(agent, source as EventSource, [{ seq, at: '', event: { type: 'note', text: `${text} ${seq}` } }]);
  process.stdout.write(`${seq}\n`);
}
process.exit(0);
