// Stands in for a worker that needs a second to end after a signal.
const alive = setInterval(() => undefined, 1_000);
process.once('SIGTERM', () => {
  setTimeout(() => {
    clearInterval(alive);
  }, 1_000);
});
