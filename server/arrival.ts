// How long a request may take to arrive: a sender that trickles holds a connection. Node's own limit is one for all
// requests, and an upload takes longer than a call.
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route bounds the arrival of its bodies itself. */
    ownArrival?: true;
  }
}

/** Ends the connection of a request that has not arrived in time; milliseconds. */
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
