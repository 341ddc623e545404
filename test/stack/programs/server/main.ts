// Stands in for the API server: ready as soon as it listens.
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  response.writeHead(request.url === '/ready' ? 200 : 404, { 'content-type': 'application/json' });
  response.end('{"status":"ok"}');
});
server.listen({ fd: Number(process.argv[2]) });
process.once('SIGTERM', () => {
  server.closeAllConnections();
  server.close();
});
