/** Another way to connect a namespace to the network, and to take it off again. Both give the milliseconds that they took. */
export interface Peer {
  connect(pid: number): Promise<number>;
  disconnect(pid: number): Promise<number>;
}
