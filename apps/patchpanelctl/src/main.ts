/** The operator's command line. It has no state: what it shows it asks the manager, what it does the manager does. */
import { ExitCode, print, Refused, runProgram } from '@pp/daemon';
import { NAME, readCommand } from './args';
import { connect } from './connect';
import { doctor } from './doctor/doctor';
import { devices, guest } from './guests';
import { events } from './events';
import { port } from './ports';
import { managerStatus, status } from './status';
import { traffic } from './traffic';
import { vpn } from './vpn';
import { connectDoors, doctorDoors, trafficDoors } from './wiring';

async function main(): Promise<number> {
  const asked = readCommand(process.argv.slice(2));
  switch (asked.do) {
    case 'status': {
      const { text, exitCode } = await status(asked);
      print(text);
      return exitCode;
    }
    case 'devices':
      print(await devices(asked.json, connectDoors(asked.stateDir)));
      return ExitCode.done;
    case 'guest':
      print(await guest(asked.call, asked.json, connectDoors(asked.stateDir)));
      return ExitCode.done;
    case 'events':
      await events(asked.json, connectDoors(asked.stateDir));
      return ExitCode.done;
    case 'port': {
      const doors = { ...connectDoors(asked.stateDir), status: () => managerStatus(asked.stateDir) };
      return port(asked.action, asked.json, doors);
    }
    case 'vpn': {
      const doors = { ...connectDoors(asked.stateDir), status: () => managerStatus(asked.stateDir) };
      print(await vpn(asked.action, asked.json, doors));
      return ExitCode.done;
    }
    case 'connect':
      return connect(asked, connectDoors(asked.stateDir));
    case 'traffic':
      return traffic(asked.wish, trafficDoors(asked.stateDir));
    case 'doctor': {
      const { text, exitCode } = await doctor(asked.json, doctorDoors(asked.stateDir));
      print(text);
      return exitCode;
    }
    case 'print':
      print(asked.text);
      return ExitCode.done;
    case 'refuse':
      throw new Refused(asked.exitCode, asked.sentence);
  }
}

void runProgram(NAME, main, '\n');
