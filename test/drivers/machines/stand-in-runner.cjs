// Stands in for the bundled runner: answers /health, writes its address, and counts its starts.
const { appendFileSync, readFileSync, writeFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { join } = require('node:path');

const folder = process.argv[2];
const { machine, token, isolation } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
appendFileSync(join(folder, 'starts'), `${JSON.stringify({ token, isolation })}\n`);
if (isolation.fails) throw new Error('the stand-in does not start');
const server = createServer((request, response) => {
  response.end(JSON.stringify({ protocol: 1, machine, pid: process.pid }));
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  writeFileSync(join(folder, 'address.json'), JSON.stringify({ port, pid: process.pid, started: '' }));
});
