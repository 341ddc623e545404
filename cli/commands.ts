// All commands, for oclif's `explicit` strategy: one per operation, and those of the stack.
import { commandId, type CommandClass } from './command.ts';
import { DESCRIPTIONS } from './descriptions.ts';
import { operationCommand } from './operation.ts';
import type { LazyOverride } from './override.ts';
import { AGENT_URL_FLAGS, EACH_FLAGS, LS_FLAGS, VERSION_FLAGS, WAIT_FLAGS } from './overrides/flags.ts';
import { flightGraphCommand, flightRunCommand, flightValidateCommand } from './overrides/flight-commands.ts';
import { mcpCommand } from './overrides/mcp.ts';
import {
  completionCommand,
  doctorCommand,
  downCommand,
  temporalCommand,
  temporalUrlCommand,
  upCommand,
} from './overrides/stack-commands.ts';

/** Operations whose command differs from the derived one. */
const OVERRIDES: Readonly<Record<string, LazyOverride>> = {
  spawn: { load: async () => (await import('./overrides/spawn.ts')).spawnOverride },
  each: { flags: EACH_FLAGS, load: async () => (await import('./overrides/each.ts')).eachOverride },
  ls: { flags: LS_FLAGS, load: async () => (await import('./overrides/ls.ts')).lsOverride },
  wait: { flags: WAIT_FLAGS, load: async () => (await import('./overrides/wait.ts')).waitOverride },
  upload: { load: async () => (await import('./overrides/sharing.ts')).uploadOverride },
  port_url: { load: async () => (await import('./overrides/sharing.ts')).portUrlOverride },
  agent_url: { flags: AGENT_URL_FLAGS, load: async () => (await import('./overrides/sharing.ts')).agentUrlOverride },
  auth: { load: async () => (await import('./overrides/auth.ts')).authOverride },
  version: { flags: VERSION_FLAGS, load: async () => (await import('./overrides/version.ts')).versionOverride },
};

/** Commands on a flight's file; the operations on a running flight are derived. */
const FLIGHT_COMMANDS: Readonly<Record<string, CommandClass>> = {
  'flight:validate': flightValidateCommand,
  'flight:graph': flightGraphCommand,
  ...Object.fromEntries(
    DESCRIPTIONS.filter(({ name }) => name === 'spawn').map((spawn) => [
      'flight:run',
      flightRunCommand(spawn, { load: async () => (await import('./overrides/spawn.ts')).spawnOverride }),
    ]),
  ),
};

/** oclif id → class. */
export const COMMANDS: Readonly<Record<string, CommandClass>> = {
  up: upCommand,
  down: downCommand,
  doctor: doctorCommand,
  ...Object.fromEntries(
    DESCRIPTIONS.map((each) => [commandId(each.cli.command), operationCommand(each, OVERRIDES[each.name])]),
  ),
  ...FLIGHT_COMMANDS,
  temporal: temporalCommand,
  'url:temporal': temporalUrlCommand,
  mcp: mcpCommand,
  completion: completionCommand,
};
