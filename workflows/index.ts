// Entry point of the workflow bundle. Every exported function is a workflow type.
export { agent } from './agent/workflow.ts';
export { fanout } from './fanout/workflow.ts';
export { flight } from './flight/workflow.ts';
