// A small MCP server over stdio, as a process that the agent program starts. Tools: `look` tells its process id and a
// variable of its environment, `hang` never answers.
import { createInterface } from 'node:readline';

const answer = (id, result) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`);
const tool = (name) => ({ name, description: `${name} for the test`, inputSchema: { type: 'object', properties: {} } });

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize') {
    const { protocolVersion } = params;
    answer(id, { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'small', version: '1.0.0' } });
  } else if (method === 'tools/list') {
    answer(id, { tools: [tool('look'), tool('hang')] });
  } else if (method === 'tools/call' && params.name === 'look') {
    answer(id, {
      content: [{ type: 'text', text: `${process.pid} ${process.env.SEEN_BY_SERVER} ${process.env.OWN}` }],
    });
  }
}
