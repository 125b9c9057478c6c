process.parentPort.on('message', (/** @type {{ data: any }} */ event) => {
  if (event.data === 'end') process.exit(3);
  console.log('said');
  process.parentPort.postMessage({ args: process.argv.slice(2), bytes: event.data.hello, send: typeof process.send });
});
