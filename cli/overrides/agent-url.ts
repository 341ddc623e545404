// `url agent`: for people with a key, so that the link can be followed.
import { isAgentToken } from '../../contract/wire/tokens.ts';
import type { OwnHalf } from '../override.ts';

export const agentUrlHalf: OwnHalf = {
  prepare(input, { parsed }, { token = '' }) {
    // What an agent prints is meant for others.
    const plain = parsed.flags.has('plain') || isAgentToken(token);
    return Promise.resolve(plain ? input : { ...input, key: true });
  },
};
