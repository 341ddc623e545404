// All operations as plain data. The build replaces this module by the data, so that the published CLI contains neither
// zod nor the schemas.
import { describeOperations, type OperationDescription } from '../contract/describe.ts';

export const DESCRIPTIONS: readonly OperationDescription[] = describeOperations();
