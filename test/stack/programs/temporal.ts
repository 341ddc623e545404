// Stands in for Temporal: answers on each port with the port's role and the database.
import { writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';

const args = process.argv.slice(2);
const valueOf = (flag: string): string => args[args.indexOf(flag) + 1] ?? '';
const database = valueOf('--db-filename');

writeFileSync(`${database}.pid`, process.pid.toString());
createServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('data', (question) => socket.end(`grpc ${database} ${question.toString()}`));
}).listen(Number(valueOf('--port')), '127.0.0.1');
createHttpServer((_, response) => response.end(`http ${database}`)).listen(Number(valueOf('--http-port')), '127.0.0.1');
createHttpServer((request, response) => {
  if (request.url === '/odd') {
    request.socket.end('HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n');
    return;
  }
  void text(request).then((body) => {
    response.setHeader('cache-control', 'public');
    response.end(
      JSON.stringify({ database, method: request.method, url: request.url, host: request.headers.host, body }),
    );
  });
}).listen(Number(valueOf('--ui-port')), '127.0.0.1');
