// Every command, for oclif's `explicit` strategy: one for each operation, and those of the stack.
import { commandId, type CommandClass } from './command.ts';
import { DESCRIPTIONS } from './descriptions.ts';
import { operationCommand } from './operation.ts';
import type { OwnPart } from './override.ts';
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

/** Operations whose command is more than the operation. */
const OWN_PARTS: Readonly<Record<string, OwnPart>> = {
  spawn: { load: async () => (await import('./overrides/spawn.ts')).spawnHalf },
  each: { flags: EACH_FLAGS, load: async () => (await import('./overrides/each.ts')).eachHalf },
  ls: { flags: LS_FLAGS, load: async () => (await import('./overrides/ls.ts')).lsHalf },
  wait: { flags: WAIT_FLAGS, load: async () => (await import('./overrides/wait.ts')).waitHalf },
  upload: { load: async () => (await import('./overrides/sharing.ts')).uploadHalf },
  port_url: { load: async () => (await import('./overrides/sharing.ts')).portUrlHalf },
  agent_url: { flags: AGENT_URL_FLAGS, load: async () => (await import('./overrides/sharing.ts')).agentUrlHalf },
  auth: { load: async () => (await import('./overrides/auth.ts')).authHalf },
  version: { flags: VERSION_FLAGS, load: async () => (await import('./overrides/version.ts')).versionHalf },
};

/** Beside the operations on a flight that runs. */
const FLIGHT_COMMANDS: Readonly<Record<string, CommandClass>> = {
  'flight:validate': flightValidateCommand,
  'flight:graph': flightGraphCommand,
  ...Object.fromEntries(
    DESCRIPTIONS.filter(({ name }) => name === 'spawn').map((spawn) => [
      'flight:run',
      flightRunCommand(spawn, { load: async () => (await import('./overrides/spawn.ts')).spawnHalf }),
    ]),
  ),
};

/** oclif id → class. */
export const COMMANDS: Readonly<Record<string, CommandClass>> = {
  up: upCommand,
  down: downCommand,
  doctor: doctorCommand,
  ...Object.fromEntries(
    DESCRIPTIONS.map((each) => [commandId(each.cli.command), operationCommand(each, OWN_PARTS[each.name])]),
  ),
  ...FLIGHT_COMMANDS,
  temporal: temporalCommand,
  'url:temporal': temporalUrlCommand,
  mcp: mcpCommand,
  completion: completionCommand,
};
