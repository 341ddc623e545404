// Every operation as plain data. The build puts the data itself in the place of this module, so that the published CLI
// holds neither zod nor the schemas.
import { describeOperations, type OperationDescription } from '../contract/describe.ts';

export const DESCRIPTIONS: readonly OperationDescription[] = describeOperations();
