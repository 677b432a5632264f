import { accept, refuse, type Checked } from '@pp/base';
import { Refused, type ControlClient } from '@pp/daemon';
import { checkedChange, traceText } from './commands';
import { traceLine } from './describe';
import type { McastService } from './mcast-service';
import type { Settings } from './settings';

/** Answers the commands of commands.ts; a line is a JSON list of words. `claim` throws Refused for settings that another relay is in the way of. */
export function controlOf(
  service: McastService,
  claim: (settings: Settings) => void,
): (line: string, client: ControlClient) => void {
  const watchers = new Map<ControlClient, string>(); // BOUNDED: by the control socket's clients
  const watch = (client: ControlClient, text: string): void => {
    watchers.set(client, text);
    client.onGone(() => {
      watchers.delete(client);
      if (watchers.size === 0) service.tracer = null;
    });
    service.tracer = (traced) => {
      const line = traceLine(traced);
      for (const [each, wanted] of watchers) if (line.includes(wanted)) each.tell(line);
    };
  };
  return (line, client) => {
    const words = wordsOf(line);
    const traced = traceText(words);
    if (traced.ok) {
      watch(client, traced.value);
      return;
    }
    const change = checkedChange(words);
    const asked = change.ok ? change.value(service.settings) : change;
    const settings = asked.ok ? claimed(asked.value, claim) : asked;
    if (settings.ok) service.change(settings.value);
    client.end(settings.ok ? 'OK' : `error ${settings.sentence}`);
  };
}

function claimed(settings: Settings, claim: (settings: Settings) => void): Checked<Settings> {
  try {
    claim(settings);
    return accept(settings);
  } catch (fault) {
    if (fault instanceof Refused) return refuse('AlreadyExists', fault.message);
    throw fault;
  }
}

/** No words: not a list of words. */
function wordsOf(line: string): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(line);
    return Array.isArray(parsed) && parsed.every((word) => typeof word === 'string') ? parsed : [];
  } catch (fault) {
    if (fault instanceof SyntaxError) return [];
    throw fault;
  }
}
