import { causeChain } from '@pp/base';
import { errnoOf } from './errno';
import { ExitCode, Refused } from './refused';

const ANSWER_TIMEOUT_MS = 5000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** The status of the service that listens at `path`, as it wrote it. `app` is for the sentences of refusals. */
export async function askStatus(app: string, path: string): Promise<string> {
  try {
    return await readAll(path);
  } catch (fault) {
    throw explained(app, path, fault);
  }
}

async function readAll(path: string): Promise<string> {
  const { createConnection } = await import('node:net'); // services do without it
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []; // BOUNDED: MAX_ANSWER_BYTES
    let length = 0;
    const socket = createConnection(path);
    socket.setTimeout(ANSWER_TIMEOUT_MS, () =>
      socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })),
    );
    socket.on('error', reject);
    socket.on('data', (part) => {
      length += part.length;
      if (length > MAX_ANSWER_BYTES)
        socket.destroy(Object.assign(new Error('too long'), { code: 'EMSGSIZE' }));
      else parts.push(part);
    });
    socket.on('end', () => {
      if (length > 0) resolve(Buffer.concat(parts).toString('utf8'));
      else reject(new Error('no answer'));
    });
  });
}

function explained(app: string, path: string, fault: unknown): Refused {
  const code = errnoOf(fault);
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ECONNREFUSED':
      return new Refused(ExitCode.unreachable, `${app} is not running: nobody answers at ${path}`, {
        advice: 'start it or give its --state-dir',
      });
    case 'EACCES':
    case 'EPERM':
      return new Refused(ExitCode.denied, `${path} may not be opened`, { advice: 'run this as root' });
    default:
      return new Refused(
        ExitCode.unreachable,
        `${app} does not answer at ${path} (${code ?? causeChain(fault)})`,
        {
          advice: 'look at its log',
        },
      );
  }
}
