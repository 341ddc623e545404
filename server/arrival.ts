// Limits the arrival time of a request, because a slow sender occupies a connection. Node's own limit is the same for
// all requests, but an upload takes longer than a call.
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route limits the arrival of its bodies itself. */
    ownArrival?: true;
  }
}

/** Ends the connection of a request that has not arrived within `ms` milliseconds. */
export function addArrivalLimit(app: FastifyInstance, ms: number): void {
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.ownArrival !== true) {
      const timer = setTimeout(() => endUnlessArrived(request), ms);
      timer.unref();
      reply.raw.once('close', () => clearTimeout(timer));
    }
    await Promise.resolve();
  });
}

function endUnlessArrived({ raw }: FastifyRequest): void {
  if (!raw.complete) raw.socket.destroy();
}
