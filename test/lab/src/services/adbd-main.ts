/*
 * An emulated adbd: `adbd unix:PATH|tcp:ADDRESS:PORT DIRECTORY` serves "shell:" with commands of this machine and "sync:" with files of
 * the directory, without authentication. Says "ready" when it listens.
 */
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { AdbConnection } from '../adbd/connection';
import { shellService } from '../adbd/shell';
import { SyncService } from '../adbd/sync';

const [where = '', directory = ''] = process.argv.slice(2);

const server = createServer({ noDelay: true }, (socket) => {
  new AdbConnection(socket, (name, stream) => {
    if (/^shell[,:]/.test(name)) return shellService(name, stream);
    return name === 'sync:' ? new SyncService(stream, directory) : null;
  });
});
const ready = (): void => void process.stdout.write('ready\n');
const [, address, port] = /^tcp:(.*):(\d+)$/.exec(where) ?? [];
if (address !== undefined) server.listen(Number(port), address, ready);
else {
  const path = where.replace(/^unix:/, '');
  rmSync(path, { force: true });
  server.listen(path, ready);
}
