// The Claude Code backend, the real program against the scripted model: the port's suite.
import { backendConformance } from '../../../../runner/backends/conformance.ts';
import { skipReason, startClaudeHarness } from './real-program.ts';

backendConformance('claude', startClaudeHarness, skipReason);
