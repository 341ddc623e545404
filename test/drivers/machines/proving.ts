// For servers that stand in for a runner in a test.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { runnerProof } from '../../../runner/identity/proof.ts';

/** Answers a proof request like a runner with this token; false for any other request. */
export function hasProved(request: IncomingMessage, response: ServerResponse, token: string): boolean {
  const nonce = request.url?.split('/proof?nonce=')[1];
  if (nonce === undefined) return false;
  response.end(runnerProof({ port: request.socket.localPort ?? 0, token }, nonce));
  return true;
}
