// Stands in for the worker: lives until it is told to end.
const alive = setInterval(() => undefined, 1_000);
process.once('SIGTERM', () => {
  clearInterval(alive);
});
