// A program that cannot run.
console.error('no luck today');
process.exitCode = 1;
