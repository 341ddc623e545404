// Accesses the Temporal of a stack, from a page of another origin and as an operator.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, Connection, isGrpcServiceError } from '@temporalio/client';
import type { Config } from '../../config/config.ts';
import { temporalSettings } from '../../config/temporal.ts';
import type { StackRecord } from '../../contract/stack.ts';
import type { Tab } from '../server/fixtures/browser.ts';

/** gRPC's status code. */
const NOT_FOUND = 5;

export interface Operator extends AsyncDisposable {
  readonly client: Client;
}

/** A Temporal client with the certificates in MURMUR_HOME. */
export async function operatorOf(config: Config): Promise<Operator> {
  const { connectionOptions, namespace } = await temporalSettings({}, config.home);
  const connection = await Connection.connect(connectionOptions);
  return { client: new Client({ connection, namespace }), [Symbol.asyncDispose]: () => connection.close() };
}

/**
 * Opens a page of another origin, which requests Temporal on each port to terminate every workflow of a type. Resolves
 * with the ports on which it succeeded.
 */
export async function endFromPage(tab: Tab, record: StackRecord, client: Client): Promise<readonly number[]> {
  const server = createServer((_, response) => response.end('<title>page</title>')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await tab.open(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`);
  await tab.until(`document.title === 'page'`);
  const ended: number[] = [];
  for (const port of portsOf(record)) {
    const jobId = randomBytes(8).toString('hex');
    const order = {
      ...{ jobId, namespace: 'default', reason: 'x', terminationOperation: {} },
      visibilityQuery: `WorkflowType='victim'`,
    };
    for (const path of ['', '/api/v1']) {
      const url = `http://127.0.0.1:${String(port)}${path}/namespaces/default/batch-operations/${jobId}`;
      const options = {
        ...{ method: 'POST', mode: 'no-cors', headers: { 'content-type': 'text/plain' } },
        body: JSON.stringify(order),
      };
      await tab.evaluate(`fetch(${JSON.stringify(url)}, ${JSON.stringify(options)}).then(() => 0, () => 0)`);
    }
    if (await isKnown(client, jobId)) ended.push(port);
  }
  server.close();
  return ended;
}

function portsOf({ temporal }: StackRecord): readonly number[] {
  const { address = '', http_url: http = '', ui_port: ui = 0 } = temporal ?? {};
  const ports = [`tcp://${address}`, http].map((each) => Number(URL.parse(each)?.port ?? 0));
  return [...new Set([...ports, ui])].filter((port) => port !== 0);
}

async function isKnown(client: Client, jobId: string): Promise<boolean> {
  try {
    await client.workflowService.describeBatchOperation({ namespace: 'default', jobId });
    return true;
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND) return false;
    throw error;
  }
}
