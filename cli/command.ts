// The base of every command: reads its command line by its grammar and runs it in the context of the process.
import { Command } from '@oclif/core/command';
import type { Config } from '@oclif/core/config';
import type { LoadOptions } from '@oclif/core/interfaces';
import { contextOf, isAgent, type CliContext } from './context.ts';
import { helpArgs, helpFlags, usageLine } from './derive/help.ts';
import { parseArguments, type Parsed } from './parse/arguments.ts';
import type { Grammar } from './parse/grammar.ts';

export interface Invocation {
  readonly context: CliContext;
  readonly parsed: Parsed;
  readonly json: boolean;
  /** The words after the command's, as they were typed. */
  readonly words: readonly string[];
}

/** What a command is made of. */
export interface CommandPlan {
  /** Words of the command: `queue add`. */
  readonly command: string;
  readonly summary: string;
  readonly description: string;
  readonly grammar: Grammar;
  /** What an agent may type instead. */
  readonly agentGrammar?: Grammar;
  readonly examples: readonly { readonly line: string; readonly says: string }[];
  /** The words are another program's to read, `--help` after a first word included: the grammar is for help. */
  readonly passesOn?: true;
  readonly run: (invocation: Invocation) => Promise<void>;
}

/** A command class for oclif's `explicit` strategy. */
export type CommandClass = typeof Command & (new (...args: never[]) => Command);

/** Makes the class; errors leave `run` as they are, and `run.ts` reports them. */
export function makeCommand(plan: CommandPlan): CommandClass {
  return class extends Command {
    static override summary = plan.summary;
    static override description = plan.description;
    static override usage = usageLine(plan.command, plan.grammar);
    static override flags = helpFlags(plan.grammar) as never;
    static override args = helpArgs(plan.grammar) as never;
    static override examples = plan.examples.map(({ line, says }) => ({
      command: `<%= config.bin %> ${line}`,
      description: says,
    }));
    /** Words are counted by our own reading of the command line. */
    static override strict = false;
    static passesOn = plan.passesOn;

    /** As oclif's own, without loading the configuration a second time: the context is bound to the first. */
    static override run = async <T>(argv?: string[], config?: LoadOptions): Promise<T> =>
      new this(argv ?? [], config as Config)._run<T>();

    override async run(): Promise<void> {
      this.parsed = true; // oclif warns about a command that does not use its parser
      const context = contextOf(this.config);
      const grammar = isAgent(context) ? (plan.agentGrammar ?? plan.grammar) : plan.grammar;
      const read = plan.passesOn === true ? [] : this.argv;
      const parsed = parseArguments(read, grammar, plan.command);
      await plan.run({ context, parsed, json: parsed.flags.has('json'), words: this.argv });
    }

    /** oclif would set the exit status of the process here; it is set once, from the error table. */
    protected override catch(error: Error): Promise<never> {
      return Promise.reject(error);
    }
  };
}

/** Whether the command passes its words on, as oclif knows it by its id. */
export function passesOn(config: Config, id: string): boolean {
  return config.findCommand(id)?.['passesOn'] === true;
}

/** oclif's id of a command: topics are joined by colons. */
export function commandId(command: string): string {
  return command.replaceAll(' ', ':');
}
