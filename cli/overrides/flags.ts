// Additional flags of commands, beside those of their operations.
import type { FlagGrammar } from '../parse/grammar.ts';

export const LS_FLAGS: readonly FlagGrammar[] = [
  { name: 'quiet', char: 'q', kind: 'boolean', repeatable: false, description: 'Print slugs only, one per line.' },
  {
    name: 'all-developers',
    char: 'A',
    kind: 'boolean',
    repeatable: false,
    description: "List all developers' agents; the same as --developer '*'.",
  },
];

export const EACH_FLAGS: readonly FlagGrammar[] = [
  {
    name: 'delimiter',
    char: 'd',
    kind: 'value',
    repeatable: false,
    description: "Separator of the items, '\\0' for NUL. Default: the end of the line.",
  },
];

export const VERSION_FLAGS: readonly FlagGrammar[] = [
  { name: 'client', kind: 'boolean', repeatable: false, description: "Print only this program's version." },
];

export const AGENT_URL_FLAGS: readonly FlagGrammar[] = [
  {
    name: 'plain',
    kind: 'boolean',
    repeatable: false,
    description: 'Print the URL without the key that opens the page, for messages and pull requests.',
  },
];

export const WAIT_FLAGS: readonly FlagGrammar[] = [
  {
    name: 'all',
    kind: 'boolean',
    repeatable: false,
    description: 'Wait until all agents have reached the phase. The default.',
  },
  {
    name: 'any',
    kind: 'boolean',
    repeatable: false,
    description: 'Wait until one of the agents has reached the phase.',
  },
];

const PORT = 'a number, or auto for a free one';

export const UP_FLAGS: readonly FlagGrammar[] = [
  {
    name: 'foreground',
    kind: 'boolean',
    repeatable: false,
    description: 'Stay attached: logs on stderr, Ctrl-C stops everything.',
  },
  { name: 'api-port', kind: 'value', repeatable: false, description: `Port of the API server: ${PORT}.` },
  { name: 'temporal-port', kind: 'value', repeatable: false, description: `Port of Temporal: ${PORT}.` },
  { name: 'temporal-ui-port', kind: 'value', repeatable: false, description: `Port of Temporal's Web UI: ${PORT}.` },
];
