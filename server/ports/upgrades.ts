// Relays WebSockets to a port of an agent's machine: the handshake with the same headers as a request, then bytes.
import { request as httpRequest, STATUS_CODES } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { pipeline } from 'node:stream';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { allowedHosts, hostProblem } from '../guard.ts';
import type { ServerParts } from '../parts.ts';
import type { TokenWatch } from '../token-watch.ts';
import { isPublic } from '../public-url.ts';
import { answerOf, badHeader, unwritable } from './machine-answer.ts';
import { openPort } from './open-port.ts';
import { headersFromMachine, headersToMachine } from './relayed-headers.ts';
import { endWith, REFUSAL_HEADERS } from './relay.ts';

const PATH = /^(\/ports\/([^/?#]+))(\/.*)$/;

/** Whether an upgrade request is a WebSocket of a port. Other requests are answered without an upgrade. */
export function isPortUpgrade({ url, headers }: IncomingMessage): boolean {
  return PATH.test(url ?? '') && headers.upgrade?.toLowerCase() === 'websocket';
}

/** Relays WebSockets until the server stops. */
export function addUpgrades(app: FastifyInstance, parts: ServerParts, watch: TokenWatch, stopping: AbortSignal): void {
  const allowed = allowedHosts(parts.settings.hosts);
  app.server.on('upgrade', (request: IncomingMessage, browser: Duplex, head: Buffer) => {
    // The pipeline closes both sides of a broken connection.
    browser.on('error', () => undefined);
    const stop = (): void => void browser.destroy();
    stopping.addEventListener('abort', stop);
    browser.once('close', () => stopping.removeEventListener('abort', stop));
    if (!isPortUpgrade(request)) {
      refuse(browser, 404, 'There is nothing to connect to.');
      return;
    }
    const problem = hostProblem(request.headers.host, allowed);
    if (problem !== undefined) {
      refuse(browser, 403, problem);
      return;
    }
    connect(parts, watch, request, browser, head).catch((error: unknown) => {
      parts.log.error({ err: error }, 'defect');
      refuse(browser, 502, 'The server failed.');
    });
  });
}

async function connect(
  parts: ServerParts,
  watch: TokenWatch,
  request: IncomingMessage,
  browser: Duplex,
  head: Buffer,
): Promise<void> {
  const [, prefix = '', token = '', path = ''] = PATH.exec(request.url ?? '') ?? [];
  const opened = await openPort(parts, token);
  if (opened.kind === 'refused') {
    refuse(browser, opened.status, opened.reason);
    return;
  }
  const { shared, socket } = opened;
  const { port } = shared;
  // The server may have started to stop meanwhile; then the browser's `close` event is over.
  if (browser.destroyed) {
    socket.destroy();
    return;
  }
  browser.once('close', () => void socket.destroy());
  const outgoing = httpRequest({
    path,
    headers: {
      ...headersToMachine(request.headers, port, prefix, isPublic(parts)),
      connection: 'Upgrade',
      upgrade: 'websocket',
    },
    setDefaultHeaders: false,
    createConnection: () => socket,
  });
  let isUpgraded = false;
  outgoing.once('upgrade', (answer, machine, first) => {
    isUpgraded = true;
    const headers = headersFromMachine(answer.headers, request.headers, port, prefix);
    const bad = unwritable(headers);
    if (bad !== undefined) {
      machine.destroy();
      refuse(browser, 502, badHeader(port, bad).reason);
      return;
    }
    writeHead(browser, 101, { ...headers, connection: 'Upgrade', upgrade: 'websocket' });
    browser.write(first);
    machine.write(head);
    endWith(watch, shared, browser);
    // Two pipelines add several listeners each.
    browser.setMaxListeners(20);
    pipeline(browser, machine, () => void machine.destroy());
    pipeline(machine, browser, () => void browser.destroy());
  });
  outgoing.end();
  const answered = await answerOf(outgoing, port, parts.timing.portAnswer);
  if (isUpgraded) return;
  if (answered.kind === 'answer') {
    answered.answer.destroy();
    refuse(browser, 502, `What listens on port ${String(port)} takes no WebSocket here.`);
  } else {
    refuse(browser, answered.status, answered.reason);
  }
}

function refuse(browser: Duplex, status: number, reason: string): void {
  if (browser.destroyed || browser.writableEnded) return;
  writeHead(browser, status, { ...REFUSAL_HEADERS, connection: 'close' });
  // Destroyed, because the other side may keep its half open.
  browser.end(`${reason}\n`, () => void browser.destroy());
}

/** Values are checked or ours, so none contains a line break. They are latin1, as Node reads them. */
function writeHead(browser: Duplex, status: number, headers: OutgoingHttpHeaders): void {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((each) => `${name}: ${String(each)}`),
  );
  const head = `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('\r\n')}\r\n\r\n`;
  browser.write(head, 'latin1');
}
