// The base of all commands: parses the command line and runs the command.
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
  /** The unparsed words after the command's. */
  readonly words: readonly string[];
}

/** The definition of a command. */
export interface CommandPlan {
  /** Words of the command: `queue add`. */
  readonly command: string;
  readonly summary: string;
  readonly description: string;
  readonly grammar: Grammar;
  /** The grammar for an agent on its machine, if it differs. */
  readonly agentGrammar?: Grammar;
  readonly examples: readonly { readonly line: string; readonly says: string }[];
  /** Set if another program parses the words, even `--help` after the first word. The grammar is then only for help. */
  readonly passesOn?: true;
  readonly run: (invocation: Invocation) => Promise<void>;
}

/** A command class for oclif's `explicit` strategy. */
export type CommandClass = typeof Command & (new (...args: never[]) => Command);

/** Creates the class. `run` throws errors unchanged; `run.ts` reports them. */
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
    /** Our own parser checks the number of words. */
    static override strict = false;
    static passesOn = plan.passesOn;

    /** Like oclif's, but does not load the configuration again: the context is bound to the first one. */
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

    /** oclif would set the exit status here. Ours is set once, from the error table. */
    protected override catch(error: Error): Promise<never> {
      return Promise.reject(error);
    }
  };
}

/** Whether the command with this oclif id passes its words on. */
export function passesOn(config: Config, id: string): boolean {
  return config.findCommand(id)?.['passesOn'] === true;
}

/** oclif's id of a command: topics are joined by colons. */
export function commandId(command: string): string {
  return command.replaceAll(' ', ':');
}
