// Stands in for the bundled runner: answers /health, writes its address, counts its starts and how often it is asked for its
// health, and ends when told to stop.
const { createHash, createHmac, randomBytes } = require('node:crypto');
const { appendFileSync, readFileSync, writeFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { join } = require('node:path');

const folder = process.argv[2];
const { machine, isolation } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
const token = randomBytes(32).toString('hex');
appendFileSync(join(folder, 'starts'), `${JSON.stringify({ token, isolation })}\n`);
const build = createHash('sha256').update(readFileSync(process.argv[1])).digest('hex').slice(0, 16);
const server = createServer((request, response) => {
  const nonce = request.url.split('/proof?nonce=')[1];
  if (nonce !== undefined) {
    const { port } = server.address();
    response.end(createHmac('sha256', token).update(`runner proof ${port} ${nonce}`).digest('hex'));
  } else if (request.url === '/stop') {
    request.on('data', (order) => appendFileSync(join(folder, 'stops'), `${order}\n`));
    request.on('end', () => response.end('{}', () => process.exit(0)));
  } else {
    if (request.url === '/health') appendFileSync(join(folder, 'asked'), '.');
    response.end(JSON.stringify({ protocol: 1, machine, pid: process.pid, build }));
  }
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  writeFileSync(
    join(folder, 'address.json'),
    JSON.stringify({ port, pid: process.pid, started: new Date().toISOString(), token }),
  );
});
