/*
 * A long TCP connection: `transfer ADDRESS PORT` sends numbers, 8 bytes each, to an echo server that speaks one line first, and checks
 * that each comes back in its place. Says `confirmed BYTES` as it goes on; when its input ends it waits for the rest and says
 * `done BYTES`. Whatever else happens to the connection is an error, and exit code 1.
 */
import { connect } from 'node:net';

const CHUNK_NUMBERS = 8192;
const PACE_MS = 5;
const AHEAD_BYTES = 1 << 20;

const [address = '', port = ''] = process.argv.slice(2);
const socket = connect({ host: address, port: Number(port) });
let sent = 0;
let confirmed = 0;
let isEnding = false;
let hasGreeting = false;
let rest = Buffer.alloc(0);

socket.on('error', ({ message }) => {
  fail(message);
});
socket.on('close', () => {
  if (!isEnding || confirmed !== sent) fail('the connection ended');
  process.stdout.write(`done ${confirmed}\n`);
});
socket.on('data', (data: Buffer) => {
  rest = Buffer.concat([rest, data]);
  if (!hasGreeting) skipGreeting();
  if (hasGreeting) check();
});
const pace = setInterval(sendMore, PACE_MS);
process.stdin.on('end', () => {
  isEnding = true;
  clearInterval(pace);
  socket.end();
});
process.stdin.resume();

function sendMore(): void {
  if (!hasGreeting || sent - confirmed > AHEAD_BYTES) return;
  const numbers = Buffer.alloc(8 * CHUNK_NUMBERS);
  for (let i = 0; i < CHUNK_NUMBERS; i++) numbers.writeBigUInt64BE(BigInt(sent / 8 + i), 8 * i);
  sent += numbers.length;
  socket.write(numbers);
}

function skipGreeting(): void {
  const end = rest.indexOf('\n');
  if (end < 0) return;
  hasGreeting = true;
  rest = rest.subarray(end + 1);
}

function check(): void {
  const whole = rest.length - (rest.length % 8);
  for (let at = 0; at < whole; at += 8) {
    const number = rest.readBigUInt64BE(at);
    if (number !== BigInt((confirmed + at) / 8)) fail(`number ${number} came after ${confirmed + at} bytes`);
  }
  rest = rest.subarray(whole);
  confirmed += whole;
  process.stdout.write(`confirmed ${confirmed}\n`);
}

function fail(why: string): never {
  process.stderr.write(`transfer: ${why} after ${confirmed} confirmed bytes\n`);
  process.exit(1);
}
