import { decodeError, decodeMessages, NLM_F_ACK, NLMSG_ERROR, NLMSG_NOOP } from '../codec/message';
import type { NetlinkMessage } from '../codec/message';
import type { NetlinkEvents, NetlinkSocket, OpenNetlink } from '../socket';
import { ack } from './answers';

/** Answers to one message, each a datagram. */
export type Script = (request: NetlinkMessage) => readonly Uint8Array[];

/** A socket whose kernel is one function. Strict: what is no netlink, an ack that was not asked for, or a send after close, throws. */
export class ScriptedSocket implements NetlinkSocket {
  /** Datagrams sent, in order. */
  readonly sent: Uint8Array[] = [];
  readonly joined: number[] = [];
  #unread: Uint8Array[] = [];
  #closed = false;

  constructor(
    private readonly script: Script,
    private readonly events: NetlinkEvents,
  ) {}

  send(datagram: Uint8Array): void {
    if (this.#closed) throw new Error('sent on a closed socket');
    this.sent.push(datagram.slice());
    this.#unread.push(...decodeMessages(datagram).flatMap((request) => this.#answer(request)));
    queueMicrotask(() => {
      for (const answer of this.#unread.splice(0)) this.deliver(answer);
    });
  }

  join(group: number): void {
    this.joined.push(group);
  }

  close(): void {
    this.#closed = true;
  }

  /** A datagram arrives, asked for or not. */
  deliver(datagram: Uint8Array): void {
    if (!this.#closed) this.events.onDatagrams(datagram);
  }

  /** The socket fails; on ENOBUFS answers that nobody has read yet are gone. */
  fail(code: string): void {
    if (code === 'ENOBUFS') this.#unread = [];
    this.events.onError({ code, message: `recv: ${code}` });
  }

  #answer(request: NetlinkMessage): readonly Uint8Array[] {
    const wantsAck = (request.flags & NLM_F_ACK) !== 0;
    if (request.type === NLMSG_NOOP) return wantsAck ? [ack(request)] : [];
    const answers = this.script(request);
    if (!wantsAck && answers.flatMap(decodeMessages).some(isAck))
      throw new Error('an ack that was not asked for');
    return answers;
  }
}

const isAck = (message: NetlinkMessage): boolean =>
  message.type === NLMSG_ERROR && decodeError(message).errno === 0;

/** `open` for whoever wants a socket, and the sockets that were opened, in order. */
export function scripted(script: Script): { readonly open: OpenNetlink; readonly sockets: ScriptedSocket[] } {
  const sockets: ScriptedSocket[] = [];
  const open: OpenNetlink = (events) => {
    const socket = new ScriptedSocket(script, events);
    sockets.push(socket);
    return socket;
  };
  return { open, sockets };
}
