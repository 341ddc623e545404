// `PUT /v1/uploads/<filename>` stores a file and needs a token. `GET /uploads/<id>/<filename>` returns it; the URL
// grants access.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MurmurError } from '../../contract/wire/errors.ts';
import { contentTypeProblem } from '../../contract/wire/uploads.ts';
import { callerOf, callId, identify, nameOf, ownId } from '../caller.ts';
import type { ServerParts } from '../parts.ts';
import type { TokenWatch } from '../token-watch.ts';
import { publicUrl } from '../public-url.ts';
import { arriving } from './arriving.ts';
import { contentHeaders, typeOfName } from './content-headers.ts';
import { findUpload, storeUpload } from './upload.ts';
import type { Sender } from './upload.ts';

/** Time for the rest of a rejected upload: a sender that has not read the answer yet must be able to finish. */
const LINGER_MS = 5_000;

/** Adds both routes. */
export function addUploads(app: FastifyInstance, parts: ServerParts, watch: TokenWatch): void {
  app.register(async (scope) => {
    addTaking(scope, parts, watch);
    await Promise.resolve();
  });
  app.get<{ Params: { id: string; '*': string } }>(
    '/uploads/:id/*',
    { config: { openTo: 'everyone' } },
    async (request, reply) => {
      const file = await findUpload(parts, request.params.id, request.params['*']);
      if (file === undefined) return await reply.code(404).type('text/plain').send('There is no such upload.\n');
      return await reply.headers(contentHeaders(file)).send(file.content);
    },
  );
}

/** What is known about an upload before its body. */
interface Head {
  readonly sender: Omit<Sender, 'base'>;
  readonly contentType: string | undefined;
  readonly revoked: AbortSignal;
}

function addTaking(scope: FastifyInstance, parts: ServerParts, watch: TokenWatch): void {
  const heads = new WeakMap<FastifyRequest, Head>();
  // The body is a file of any type.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, _body, done) => done(null));
  // Checks the token before the body is read.
  scope.addHook('onRequest', async (request, reply) => {
    const { token, revoked } = await identify(parts.tokens, watch, request, reply);
    const caller = callerOf(token);
    const sender = { id: ownId(caller, callId(request)), caller, from: nameOf(caller) };
    // Checked here, because fastify's error for an invalid type has another form.
    heads.set(request, { sender, contentType: contentTypeOf(request), revoked });
  });
  scope.addHook('onResponse', async ({ raw }) => {
    if (!raw.complete) {
      raw.resume();
      setTimeout(() => void (raw.complete || raw.socket.destroy()), LINGER_MS).unref();
    }
    await Promise.resolve();
  });
  scope.put<{ Params: { '*': string }; Querystring: { workspace?: string } }>(
    '/v1/uploads/*',
    { config: { ownArrival: true } },
    async (request, reply) => {
      const head = heads.get(request);
      if (head === undefined) throw new TypeError('an unauthenticated request reached a handler');
      const filename = request.params['*'];
      const upload = {
        filename,
        contentType: head.contentType ?? typeOfName(filename),
        workspace: request.query.workspace,
        source: arriving(request.raw, parts.settings.uploadLimit, parts.timing, head.revoked),
      };
      const base = publicUrl(parts, { host: request.headers.host ?? '' });
      const url = await storeUpload(parts, upload, { ...head.sender, base });
      return await reply.type('application/json').send(JSON.stringify(url));
    },
  );
}

/** Undefined when none is given. Throws INVALID_ARGUMENT. */
function contentTypeOf(request: FastifyRequest): string | undefined {
  const type = request.headers['content-type'];
  const problem = type === undefined ? undefined : contentTypeProblem(type);
  if (problem === undefined) return type;
  throw new MurmurError('INVALID_ARGUMENT', problem, { details: { field: 'content_type' } });
}
