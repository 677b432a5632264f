import type { Bus } from '../bus';
import type { AdmissionLimits } from '../server/admission';
import type { InterfaceSpec, MethodCall, MethodHandler } from '../server/spec';
import { ScriptedBus, type Delivery, type Sent } from './scripted-bus';

export const SPEC = {
  name: 'a.b',
  methods: [
    {
      name: 'Take',
      in: [
        { name: 'request', type: 'ay' },
        { name: 'lifeline', type: 'h' },
      ],
      out: [{ name: 'reply', type: 'ay' }],
    },
    { name: 'Plain', in: [], out: [{ name: 'text', type: 's' }] },
  ],
} as const satisfies InterfaceSpec;

export const PLAIN: Delivery = { path: '/a/b', interface: 'a.b', member: 'Plain' };
export const TAKE: Delivery = { ...PLAIN, member: 'Take', signature: 'ayh', values: [Uint8Array.of(1), 0] };

export class Subject {
  readonly scripted = new ScriptedBus();
  readonly calls: MethodCall[] = [];
  plain: MethodHandler = () => ({ body: ['hello'] });
  take: MethodHandler = () => ({ body: [Uint8Array.of(2)] });
  bus: Bus | undefined;

  async start(limits?: AdmissionLimits): Promise<void> {
    this.bus = await this.scripted.connect(limits);
    const kept =
      (handler: () => MethodHandler): MethodHandler =>
      (call) => {
        this.calls.push(call);
        return handler()(call);
      };
    this.bus.serve('/a/b', SPEC, { Plain: kept(() => this.plain), Take: kept(() => this.take) });
  }

  /** Delivers a call and returns what was sent back. */
  async answerTo(delivery: Delivery): Promise<Sent> {
    const serial = 70_000 + this.scripted.sent.length;
    this.scripted.deliver({ serial, ...delivery });
    const [answer] = await this.scripted.expectSent(
      1,
      ({ header }) => 'replySerial' in header && header.replySerial === serial,
    );
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }
}

export async function started(limits?: AdmissionLimits): Promise<Subject> {
  const subject = new Subject();
  await subject.start(limits);
  return subject;
}

/** An answer in one line: its values, or the last part of its error name and the sentence. */
export function line({ header, body }: Sent): unknown {
  return header.type === 'error' ? `${header.errorName.split('.').at(-1) ?? ''}: ${String(body[0])}` : body;
}
