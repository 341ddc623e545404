// `node list.mjs <address> <namespace>`: connects and lists what runs, with nothing but the Temporal client.
// Plain JavaScript, so that stripping types does not count.
import { Client, Connection } from '@temporalio/client';

const [address, namespace] = process.argv.slice(2);
const connection = await Connection.connect({ address });
const client = new Client({ connection, namespace });
for await (const { workflowId, status, startTime } of client.workflow.list({ query: 'ExecutionStatus="Running"' })) {
  console.log(workflowId, status.name, startTime.toISOString());
}
await connection.close();
