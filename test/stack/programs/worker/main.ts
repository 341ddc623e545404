// Stands in for the worker: runs until a signal ends it.
const alive = setInterval(() => undefined, 1_000);
process.once('SIGTERM', () => {
  clearInterval(alive);
});
