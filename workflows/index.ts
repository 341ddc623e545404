// Entry of the workflow bundle. Every function that is exported here is a workflow type.
export { agent } from './agent/workflow.ts';
export { fanout } from './fanout/workflow.ts';
export { flight } from './flight/workflow.ts';
