import { describe, expect, it } from '@jest/globals';
import { parseWorkflowId } from '../../contract/wire/identity.ts';
import type { AgentIdentity } from '../../contract/wire/identity.ts';
import { may, maySpawn } from '../../contract/wire/rights.ts';
import type { Access, Caller } from '../../contract/wire/rights.ts';

function agent(path: string, workspace = 'shop', account = 'jane'): AgentIdentity {
  const identity = parseWorkflowId(`w/${workspace}/u/${account}/${path}`);
  if (identity === undefined) throw new Error(`not an identity: ${path}`);
  return identity;
}

const PERSON: Caller = { account: 'jane' };
const LEAD: Caller = { account: 'jane', agent: agent('lead') };
const KID: Caller = { account: 'jane', agent: agent('lead/kid') };
const DIRECTOR: Caller = { account: 'jane', agent: agent('director'), rights: 'owner' };
const ACCESSES: readonly Access[] = ['read', 'message', 'change', 'own'];

describe('rights', () => {
  it.each<[string, Caller, AgentIdentity, readonly Access[]]>([
    ['a person to their own agent', PERSON, agent('lead'), ACCESSES],
    ['a person to their own agent of another workspace', PERSON, agent('lead', 'bank'), ACCESSES],
    ["a person to another's agent", PERSON, agent('lead', 'shop', 'bob'), ['read']],
    ['an agent to itself', LEAD, agent('lead'), ['read', 'message', 'change']],
    ['an agent to its child', LEAD, agent('lead/kid'), ['read', 'message', 'change']],
    ['an agent to its grandchild', LEAD, agent('lead/kid/deep'), ['read', 'message', 'change']],
    ['an agent to its parent', KID, agent('lead'), ['read', 'message']],
    ['an agent to its sibling', KID, agent('lead/other'), ['read', 'message']],
    ['an agent to one whose name begins with its own', LEAD, agent('leader'), ['read', 'message']],
    ['an agent to the same path in another workspace', LEAD, agent('lead/kid', 'bank'), ['read', 'message']],
    ["an agent to another owner's", LEAD, agent('lead/kid', 'shop', 'bob'), []],
    ["an agent with owner's rights to any of its owner's", DIRECTOR, agent('lead/kid'), ['read', 'message', 'change']],
    ["an agent with owner's rights to another owner's", DIRECTOR, agent('lead', 'shop', 'bob'), []],
  ])('%s', (_, caller, target, expected) => {
    expect(ACCESSES.filter((access) => may(caller, access, target))).toEqual(expected);
  });

  it('to spawn cover descendants, and the whole account for people and agents with owner rights', () => {
    expect(maySpawn(PERSON, agent('new'))).toBe(true);
    expect(maySpawn(PERSON, agent('new', 'shop', 'bob'))).toBe(false);
    expect(maySpawn(LEAD, agent('lead/kid'))).toBe(true);
    expect(maySpawn(LEAD, agent('lead'))).toBe(false);
    expect(maySpawn(LEAD, agent('other'))).toBe(false);
    expect(maySpawn(KID, agent('lead/other'))).toBe(false);
    expect(maySpawn(DIRECTOR, agent('other/kid'))).toBe(true);
  });
});
