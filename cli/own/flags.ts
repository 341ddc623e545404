// Flags that commands have beside their operation's.
import type { FlagGrammar } from '../parse/grammar.ts';

export const LS_FLAGS: readonly FlagGrammar[] = [
  { name: 'quiet', char: 'q', kind: 'boolean', repeatable: false, description: 'Print slugs only, one per line.' },
  {
    name: 'all-developers',
    char: 'A',
    kind: 'boolean',
    repeatable: false,
    description: "All developers' agents; the same as --developer '*'.",
  },
];

export const VERSION_FLAGS: readonly FlagGrammar[] = [
  { name: 'client', kind: 'boolean', repeatable: false, description: 'Only the version of this program.' },
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
