// Attacks on Temporal that bypass the API server.
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import type { Attack } from '../attack.ts';
import { linesWith, triedBy } from '../evidence.ts';
import { listeningPorts } from '../listening.ts';

const OPEN = 'without namespaces, Temporal cannot be isolated; doctor and status report that it is open';

/** Tries all protocols of Temporal on each port; prints a line per success. */
const PROBE = `
const net = require('net'), http = require('http'), tls = require('tls'), http2 = require('http2');
const ports = process.argv.slice(1).map(Number);
const get = (port, path, method, headers, body) => new Promise((done) => {
  const request = http.request({ host: '127.0.0.1', port, path, method, headers, timeout: 2000 }, (answer) => {
    let text = ''; answer.setEncoding('utf8').on('data', (piece) => (text += piece)).on('end', () => done(text));
  });
  request.on('error', () => done('')).on('timeout', () => { request.destroy(); done(''); }).end(body);
});
const grpc = (url, options) => new Promise((done) => {
  let session; try { session = http2.connect(url, options); } catch { return done(false); }
  const end = (value) => { session.destroy(); done(value); };
  session.on('error', () => end(false)); setTimeout(() => end(false), 2000);
  const call = session.request({ ':method': 'POST', ':path': '/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo', 'content-type': 'application/grpc', te: 'trailers' });
  call.on('error', () => end(false)).on('response', (headers) => end(headers['content-type'] === 'application/grpc')).end(Buffer.alloc(5));
});
(async () => {
  for (const port of ports) {
    const list = await get(port, '/api/v1/namespaces', 'GET', {});
    if (list.includes('"namespaces"')) console.log('got HTTP ' + port);
    const page = await get(port, '/', 'GET', {});
    if (/temporal/i.test(page)) console.log('got UI ' + port);
    const metrics = await get(port, '/metrics', 'GET', {});
    if (/service_requests|temporal_/.test(metrics)) console.log('got metrics ' + port);
    if (await grpc('http://127.0.0.1:' + port)) console.log('got gRPC ' + port);
    if (await grpc('https://127.0.0.1:' + port, { rejectUnauthorized: false })) console.log('got gRPC over TLS ' + port);
  }
})();
`;

export const TEMPORAL: readonly Attack[] = [
  {
    name: 'temporal-from-an-agent',
    goal: "reach Temporal's gRPC, HTTP, metrics or Web UI without credentials",
    admitted: { tracking: OPEN },
    attempt: async ({ hostile, folder }) => {
      const ports = await listeningPorts(folder);
      const script = `cat >probe.cjs <<'END'\n${PROBE}\nEND\nnode -e "$(cat probe.cjs)" ${ports.join(' ')}`;
      return linesWith(await triedBy(hostile, script), 'got ');
    },
  },
  {
    name: 'temporal-from-a-page',
    goal: 'start, signal or end agents from a web page that the owner has open',
    attempt: async ({ folder }) => {
      const got: string[] = [];
      for (const port of await listeningPorts(folder)) {
        // A request that a page can send without a CORS preflight: no custom headers, and the Host of its URL.
        for (const host of [`127.0.0.1:${String(port)}`, `localhost:${String(port)}`, `evil.example:${String(port)}`]) {
          const answer = await simplePost(port, host);
          if (answer !== undefined) got.push(`HTTP ${String(port)} as ${host}: ${answer}`);
        }
      }
      return got;
    },
  },
  {
    name: 'runner-without-token',
    goal: 'call a runner without its token, or with a foreign Host',
    attempt: async ({ hostile, folder }) => {
      const ports = await listeningPorts(folder);
      const script = `node -e '
        const http = require("http");
        const ask = (port, path, headers) => new Promise((done) => {
          const r = http.request({ host: "127.0.0.1", port, path, headers, timeout: 2000 }, (a) => { let t = ""; a.on("data", (c) => (t += c)).on("end", () => done(a.statusCode + " " + t)); });
          r.on("error", () => done("")).on("timeout", () => { r.destroy(); done(""); }).end();
        });
        (async () => { for (const port of process.argv.slice(1)) {
          if (/"protocol"/.test(await ask(port, "/health", { host: "evil.example" }))) console.log("got health of " + port + " as evil.example");
          if (/"protocol"/.test(await ask(port, "/health", { origin: "http://evil.example" }))) console.log("got health of " + port + " for a page");
        } })()' ${ports.join(' ')}`;
      return linesWith(await triedBy(hostile, script), 'got ');
    },
  },
];

/** The answer to a POST like a page's; undefined if it was refused or the answer is not Temporal's. */
async function simplePost(port: number, host: string): Promise<string | undefined> {
  const jobId = randomUUID();
  const body = JSON.stringify({
    ...{ jobId, namespace: 'default', reason: 'x', visibilityQuery: "WorkflowType = 'none'" },
    terminationOperation: {},
  });
  const head = [
    `POST /api/v1/namespaces/default/batch-operations/${jobId} HTTP/1.1`,
    `host: ${host}`,
    'origin: http://evil.example',
    'content-type: text/plain',
    `content-length: ${String(Buffer.byteLength(body))}`,
    'connection: close',
  ].join('\r\n');
  const text = await exchange(port, `${head}\r\n\r\n${body}`);
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
  // A gRPC status means that the request reached Temporal, even if the request was invalid.
  const isTemporals = /^2/.test(status ?? '') || /\{"code":\d+/.test(text);
  return isTemporals && status !== '403' ? `status ${status ?? ''}` : undefined;
}

function exchange(port: number, message: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port });
    const end = (): void => {
      socket.destroy();
      resolve(text);
    };
    // Servers of other protocols than HTTP do not answer.
    socket.setTimeout(5_000, end).once('error', end).once('close', end);
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.write(message);
  });
}
