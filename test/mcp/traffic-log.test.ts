import { expect, test } from '@jest/globals';
import { withoutSecrets } from '../../mcp/traffic-log.ts';

test('tokens, credentials and values of secret fields are redacted at any depth', () => {
  const message = {
    params: {
      _meta: { progressToken: 7 },
      arguments: {
        description: 'use mur_agent-1.AbC_d-9 and ghp_0123456789abcdef at https://jane:pw@git.example.com/x',
        secrets: { KEY: 'hidden' },
        repos: [{ clone_url: 'ssh://git.example.com/x' }],
      },
      token: 'hidden',
    },
    usage: { input_tokens: 5 },
  };
  expect(withoutSecrets(message)).toEqual({
    params: {
      _meta: { progressToken: 7 },
      arguments: {
        description: 'use mur_[left out] and [left out] at https://[left out]@git.example.com/x',
        secrets: '[left out]',
        repos: [{ clone_url: 'ssh://git.example.com/x' }],
      },
      token: '[left out]',
    },
    usage: { input_tokens: 5 },
  });
});
