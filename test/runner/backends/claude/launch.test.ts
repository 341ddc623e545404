// How the program is started, and which one.
import { describe, expect, it } from '@jest/globals';
import { claudeArguments, claudeEnvironment } from '../../../../runner/backends/claude/launch.ts';
import {
  claudeVersionProblem,
  findProgram,
  TESTED_CLAUDE_VERSION,
} from '../../../../runner/backends/claude/program.ts';

const session = { sessionId: 'id', model: undefined };

/** The value behind a flag; undefined when the flag is not there. */
function valueOf(args: readonly string[], flag: string): string | undefined {
  return args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined;
}

describe('claudeArguments', () => {
  it('names a new session and resumes an old one, never both', () => {
    const fresh = claudeArguments(session, { resume: false, keyFile: undefined });
    const resumed = claudeArguments(session, { resume: true, keyFile: undefined });
    expect([valueOf(fresh, '--session-id'), valueOf(fresh, '--resume')]).toEqual(['id', undefined]);
    expect([valueOf(resumed, '--session-id'), valueOf(resumed, '--resume')]).toEqual([undefined, 'id']);
  });

  it('names no model unless one is requested', () => {
    expect(valueOf(claudeArguments(session, { resume: false, keyFile: undefined }), '--model')).toBeUndefined();
    const asked = claudeArguments({ ...session, model: 'opus' }, { resume: false, keyFile: undefined });
    expect(valueOf(asked, '--model')).toBe('opus');
  });

  it('reads the key from its file, for any path', () => {
    const args = claudeArguments(session, { resume: false, keyFile: "/a b/it's $HOME/api-key" });
    expect(JSON.parse(valueOf(args, '--settings') ?? '')).toEqual({
      apiKeyHelper: `cat '/a b/it'\\''s $HOME/api-key'`,
    });
  });
});

describe('MCP servers', () => {
  const murmur = { command: 'murmur', args: ['mcp'], env: { A: 'b' } };

  it('are the only ones that the program starts, with their tools in every request and time for long calls', () => {
    const args = claudeArguments({ ...session, mcpServers: { murmur } }, { resume: false, keyFile: undefined });
    expect(args).toContain('--strict-mcp-config');
    expect(JSON.parse(valueOf(args, '--mcp-config') ?? '')).toEqual({
      mcpServers: { murmur: { ...murmur, timeout: 604_800_000 } },
    });
  });

  it('cause no arguments when there are none', () => {
    const args = claudeArguments({ ...session, mcpServers: {} }, { resume: false, keyFile: undefined });
    expect(args).not.toContain('--mcp-config');
  });
});

describe('claudeEnvironment', () => {
  const base = {
    home: '/home/agent',
    env: { PATH: '/bin', ANTHROPIC_API_KEY: 'key', HOME: '/root', CLAUDE_CODE_MAX_RETRIES: '99', FOO: 'bar' },
  };

  it("is the session's, overridden by the variables that the backend depends on", () => {
    const env = claudeEnvironment(base, { keyFile: undefined, maxRetries: 4, isRoot: false });
    expect(env).toMatchObject({ PATH: '/bin', FOO: 'bar', HOME: '/home/agent', CLAUDE_CODE_MAX_RETRIES: '4' });
    expect(env).toHaveProperty('ANTHROPIC_API_KEY', 'key');
    expect(env).not.toHaveProperty('IS_SANDBOX');
  });

  it('excludes the key when it is in a file', () => {
    const env = claudeEnvironment(base, { keyFile: '/run/api-key', maxRetries: 4, isRoot: false });
    expect(env).not.toHaveProperty('ANTHROPIC_API_KEY');
  });

  it('sets IS_SANDBOX only for root, to the one value that works', () => {
    expect(claudeEnvironment(base, { keyFile: undefined, maxRetries: 4, isRoot: true })).toMatchObject({
      IS_SANDBOX: '1',
    });
  });
});

describe('findProgram', () => {
  it('finds an executable on the given PATH and nowhere else', async () => {
    expect(await findProgram('sh', '/nowhere:/bin:/usr/bin')).toMatch(/\/sh$/);
    expect(await findProgram('sh', '/nowhere')).toBeUndefined();
    expect(await findProgram('sh', undefined)).toBeUndefined();
  });

  it('ignores folders, files that are not executable, and relative PATH entries', async () => {
    expect(await findProgram('bin', '/usr')).toBeUndefined();
    expect(await findProgram('passwd', '/etc')).toBeUndefined();
    expect(await findProgram('sh', '.:../../../bin')).toBeUndefined();
  });
});

describe('claudeVersionProblem', () => {
  it.each([`${TESTED_CLAUDE_VERSION} (Claude Code)`, '2.1.999'])('accepts %s', (version) => {
    expect(claudeVersionProblem(version)).toBeUndefined();
  });

  it.each(['2.1.197', '2.2.0', '3.0.1', '1.9.999'])('warns about %s and names the range', (version) => {
    expect(claudeVersionProblem(version)).toContain(
      `${version} is outside the tested range (tested: ${TESTED_CLAUDE_VERSION}`,
    );
  });

  it('quotes an output without a version', () => {
    expect(claudeVersionProblem('command not found')).toContain('"command not found"');
  });
});
