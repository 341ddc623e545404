import { describe, expect, it } from '@jest/globals';
import {
  committedOf,
  exhaustedLimit,
  freeOf,
  detachFromParent,
  mustStop,
  newBudget,
  nextReport,
  poolOf,
  setLimit,
  usedOf,
} from '../../../../workflows/agent/budget/budget.ts';
import {
  registerExistingChild,
  balance,
  openGrant,
  openSlice,
  applyGrant,
  recordRequest,
} from '../../../../workflows/agent/budget/shares.ts';
import { randomNumbers, settle, Spender } from '../../../fixtures/budget-tree.ts';

/** Runs a tree through random events in random order; messages are delivered with random delays. */
function live(
  root: Spender,
  seed: number,
  steps: number,
  check: () => void,
  spend: (agent: Spender, usd: number) => unknown = (agent, usd) => agent.spend(usd),
): void {
  const random = randomNumbers(seed);
  let spawned = 0;
  for (let step = 0; step < steps; step += 1) {
    const all = root.all();
    const agent = all[Math.floor(random() * all.length)] ?? root;
    const what = random();
    if (what < 0.3) spend(agent, random() * 0.5);
    else if (what < 0.5) agent.deliver();
    else if (what < 0.65) agent.tryToStart();
    else if (what < 0.75 && agent.isRunning) agent.endTurn();
    else if (what < 0.82) agent.wantsToRun = !agent.isRunning;
    else if (what < 0.9 && all.length < 12) agent.spawn(`a${spawned++}`, random() < 0.3 ? random() * 5 : undefined);
    else if (what < 0.94 && agent !== root && agent.living().length === 0) agent.end();
    else if (what < 0.95) setLimit(root.budget, (root.budget.limit_usd ?? 0) + random());
    check();
  }
}

describe('budgets in a tree', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('never commit more than the limit, in any order of events (seed %d)', (seed) => {
    const root = new Spender('root', undefined, 10, undefined);
    root.wantsToRun = true;
    live(root, seed, 3_000, () => {
      const problem = root
        .all()
        .map((agent) => agent.problem())
        .find((each) => each !== undefined);
      if (problem !== undefined) throw new Error(problem);
      if (root.spent() > (root.budget.limit_usd ?? 0) + 1e-6) throw new Error(`spent ${root.spent()}`);
    });
    settle(root);
    // The root never records more than its descendants have spent.
    expect(usedOf(root.budget)).toBeLessThanOrEqual(root.spent() + 1e-6);
  });

  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'answer every request, however much messages overshoot (seed %d)',
    (seed) => {
      const root = new Spender('root', undefined, 10, undefined);
      root.wantsToRun = true;
      live(
        root,
        seed,
        400,
        () => undefined,
        (agent, usd) => agent.isRunning && agent.use(usd),
      );
      for (let round = 0; round < 20; round += 1) {
        settle(root);
        // Each agent reports its usage, as a turn does with its next message.
        for (const agent of root.all()) {
          if (agent.isRunning) agent.use(Math.max(agent.mark - agent.used, 0));
          else agent.review();
        }
      }
      settle(root);
      const waiting = root.all().filter(({ budget }) => budget.waiting);
      expect(waiting.map(({ name }) => name)).toEqual([]);
      const stuck = root.all().filter((agent) => {
        if (agent.isRunning) return agent.used >= agent.mark && !mustStop(agent.budget, agent.name);
        return agent.wantsToRun && freeOf(agent.budget) === 0 && !agent.isParked;
      });
      expect(stuck.map(({ name }) => name)).toEqual([]);
    },
  );

  it.each([11, 12, 13])('are spent to the last cent when agents continue as long as they can (seed %d)', (seed) => {
    const root = new Spender('root', undefined, 10, undefined);
    root.wantsToRun = true;
    for (const name of ['a', 'b', 'c']) root.spawn(name).spawn(`${name}-kid`);
    const random = randomNumbers(seed);
    for (let round = 0; round < 20_000 && !root.all().every(({ isParked }) => isParked); round += 1) {
      for (const agent of root.all()) {
        agent.tryToStart();
        if (agent.isRunning) agent.spend(random() * 0.1);
        agent.deliver();
        if (!agent.isRunning) agent.wantsToRun = true;
      }
    }
    settle(root);
    expect(root.all().every(({ isParked }) => isParked)).toBe(true);
    expect(root.spent()).toBeCloseTo(10, 5);
  });

  it('start every agent of a fan-out of 200, and grant something to the last one', () => {
    const root = new Spender('root', undefined, 100, undefined);
    root.wantsToRun = true;
    root.tryToStart();
    const kids = Array.from({ length: 200 }, (_, index) => root.spawn(`k${index}`));
    expect(kids.every((kid) => kid.tryToStart())).toBe(true);
    expect(kids.at(-1)?.budget.allowance_usd).toBeGreaterThan(0.001);
  });

  it('request more at 80 % of an allowance, some twenty times for a whole budget', () => {
    const root = new Spender('root', undefined, 100, undefined);
    const kid = root.spawn('kid');
    kid.tryToStart();
    const first = kid.budget.allowance_usd ?? 0;
    while (kid.used < 0.79 * first) kid.spend(0.005 * first);
    expect(kid.budget.asked).toBe(0);
    while (kid.used < 0.81 * first) kid.spend(0.005 * first);
    expect(kid.budget.asked).toBe(1);
    for (let rounds = 0; rounds < 100_000 && !kid.wantsToRun; rounds += 1) {
      settle(root);
      kid.spend(0.01);
    }
    settle(root);
    expect(kid.spent()).toBeCloseTo(100, 5);
    expect(kid.budget.asked).toBeLessThan(40);
  });

  it('report usage some dozen times for a whole budget', () => {
    const root = new Spender('root', undefined, 100, undefined);
    root.wantsToRun = true;
    root.tryToStart();
    let marks = 0;
    for (let mark = root.mark; root.isRunning; mark = root.mark) {
      marks += 1;
      root.spend(mark - root.used);
    }
    expect(marks).toBeLessThan(12);
  });

  it('resume every agent of a parked tree when the limit is raised', () => {
    const root = new Spender('root', undefined, 1, undefined);
    const kid = root.spawn('kid');
    const grandchild = kid.spawn('deep');
    for (let round = 0; round < 1_000 && !grandchild.isParked; round += 1) {
      grandchild.tryToStart();
      grandchild.spend(0.1);
      settle(root);
    }
    expect(exhaustedLimit(grandchild.budget, 'deep')).toEqual({ path: 'root', limit_usd: 1 });
    setLimit(root.budget, 2);
    root.review();
    settle(root);
    expect(grandchild.tryToStart()).toBe(true);
  });

  it('resume a parked agent when another one ends and returns money', () => {
    const root = new Spender('root', undefined, 1, undefined);
    const [rich, poor] = [root.spawn('rich'), root.spawn('poor')];
    rich.tryToStart();
    for (let round = 0; round < 1_000 && !poor.isParked; round += 1) {
      poor.tryToStart();
      poor.spend(0.1);
      settle(root);
    }
    expect(poor.isParked).toBe(true);
    rich.end();
    settle(root);
    expect(poor.tryToStart()).toBe(true);
  });

  it('bound a child by its own limit as well as its allowance', () => {
    const root = new Spender('root', undefined, 10, undefined);
    const kid = root.spawn('kid', 0.5);
    for (let round = 0; round < 1_000 && !kid.isParked; round += 1) {
      kid.tryToStart();
      kid.spend(0.1);
      settle(root);
    }
    expect(kid.spent()).toBeCloseTo(0.5, 5);
    expect(exhaustedLimit(kid.budget, 'kid')).toEqual({ path: 'kid', limit_usd: 0.5 });
    const tight = new Spender('root', undefined, 0.2, undefined);
    const big = tight.spawn('big', 50);
    for (let round = 0; round < 1_000 && !big.isParked; round += 1) {
      big.tryToStart();
      big.spend(0.1);
      settle(tight);
    }
    expect(big.spent()).toBeCloseTo(0.2, 5);
    expect(exhaustedLimit(big.budget, 'big')).toEqual({ path: 'root', limit_usd: 0.2 });
  });
});

describe('messages of a budget', () => {
  const request = { slug: 'kid', spawn_id: 'k', keep_usd: 1, want_usd: 1, spent_usd: 0.5 };

  it('count once, even if they arrive twice or late', () => {
    const parent = newBudget(10, undefined);
    openGrant(parent, 'k', 'kid');
    recordRequest(parent, { ...request, number: 2 });
    balance(parent, 'rest', 'root');
    const committed = committedOf(parent);
    recordRequest(parent, { ...request, number: 2 });
    recordRequest(parent, { ...request, number: 1, keep_usd: 0 });
    balance(parent, 'rest', 'root');
    expect(committedOf(parent)).toBe(committed);
    expect(parent.outbox).toHaveLength(1);
    recordRequest(parent, { ...request, number: 1, spawn_id: 'stranger' });
    expect(committedOf(parent)).toBe(committed);
  });

  it('ignore an answer to an older request, whose grant was returned', () => {
    const kid = newBudget(undefined, 1);
    kid.own_usd = 0.5;
    balance(kid, 'rest', 'kid');
    expect(kid).toMatchObject({ asked: 1, allowance_usd: 0.5 });
    applyGrant(kid, { number: 0, allowance_usd: 7 });
    expect(poolOf(kid)).toBe(0.5);
  });

  it('turn the allowance into the own limit of an agent whose parent has ended', () => {
    const kid = newBudget(undefined, 1);
    openSlice(kid);
    kid.running_usd = 1;
    balance(kid, 'run', 'kid');
    expect(kid.waiting).toBe(true);
    detachFromParent(kid);
    expect(exhaustedLimit(kid, 'kid')).toEqual({ path: 'kid', limit_usd: 1 });
    setLimit(kid, 2);
    expect(freeOf(kid)).toBeGreaterThan(0);
  });

  it('send a child that was started before the budget its share once', () => {
    const parent = newBudget(10, undefined);
    registerExistingChild(parent, 'k', 'kid', 2);
    registerExistingChild(parent, 'k', 'kid', 2);
    expect(parent.outbox).toEqual([
      { to: 'child', slug: 'kid', grant: { number: 0, allowance_usd: expect.any(Number) } },
    ]);
    expect(usedOf(parent)).toBe(2);
  });

  it('report usage past the slice with the next message until the parent has answered', () => {
    const kid = newBudget(undefined, 1);
    openSlice(kid);
    kid.running_usd = 1.5;
    balance(kid, 'run', 'kid');
    expect(nextReport(kid)).toBe(1.5);
  });
});
