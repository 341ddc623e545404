import { describeEventLog } from '../../../drivers/events/conformance.ts';
import { createMemoryEventLog } from '../../../drivers/events/memory.ts';

describeEventLog('memory', async () => ({ log: createMemoryEventLog(), [Symbol.asyncDispose]: async () => {} }));
