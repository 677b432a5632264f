import type { Answer, Packet, Question } from 'dns-packet';

export const ask = (
  name: string,
  type: Question['type'] | 'ANY' = 'PTR',
  more: Partial<Packet> = {},
): Packet => ({
  type: 'query',
  questions: [{ type: type as Question['type'], name, class: 'IN' }], // its types lack ANY
  ...more,
});
export const a = (name: string, data: string, ttl = 120): Answer => ({
  type: 'A',
  name,
  ttl,
  flush: true,
  data,
});
export const aaaa = (name: string, data: string): Answer => ({
  type: 'AAAA',
  name,
  ttl: 120,
  flush: true,
  data,
});
export const ptr = (name: string, data: string): Answer => ({ type: 'PTR', name, ttl: 4500, data });
export const srv = (name: string, target: string, port: number): Answer => ({
  type: 'SRV',
  name,
  ttl: 120,
  flush: true,
  data: { priority: 0, weight: 0, port, target },
});
export const respond = (...answers: Answer[]): Packet => ({ type: 'response', answers });

/** Names and data of the answers, for reading. */
export const said = (packet: Packet | undefined): readonly string[] =>
  [...(packet?.answers ?? []), ...(packet?.authorities ?? []), ...(packet?.additionals ?? [])].map(
    (record) => {
      const { name, type } = record;
      const data = 'data' in record ? JSON.stringify(record.data) : '';
      return `${name} ${type} ${data.replaceAll('"', '')}`;
    },
  );
