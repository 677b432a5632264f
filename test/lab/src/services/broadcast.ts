import type { Child } from '../child';
import type { Place } from '../place';

/** Answers every datagram with "answer", and prints who sent it: "from 192.168.77.20 port 5000". */
const LISTEN = `
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (data, { address, port }) => {
  console.log('from ' + address + ' port ' + port);
  socket.send('answer', port, address);
});
socket.bind(Number(process.argv[1]), () => console.log('ready'));`;

/** Asks every other second; prints the address of the first answer, or "none" after twenty seconds. */
const ASK = `
const socket = require('node:dgram').createSocket('udp4');
const end = (text) => { console.log(text); process.exit(); };
socket.on('message', (data, { address }) => end(address));
socket.bind(() => {
  socket.setBroadcast(true);
  const ask = () => socket.send('question', Number(process.argv[1]), '255.255.255.255');
  ask();
  setInterval(ask, 2000);
  setTimeout(end, 20000, 'none');
});`;

/** A service that waits for broadcasts on a UDP port. Its output says who has sent one. */
export async function startBroadcastListener(place: Place, port: number): Promise<Child> {
  const listener = place.spawn(process.execPath, ['-e', LISTEN, String(port)]);
  await listener.line('sign of being ready', (line) => (line === 'ready' ? true : undefined));
  return listener;
}

/** Broadcasts until one is answered; the address of who answers first, or undefined. */
export async function askByBroadcast(place: Place, port: number): Promise<string | undefined> {
  const answer = (await place.ok(process.execPath, ['-e', ASK, String(port)])).trim();
  return answer === 'none' ? undefined : answer;
}
