import { REFUSALS, type Refusal } from './core/refusal';
import { targetText } from './endpoint';
import type { RelayService } from './relay-service';

/** Connections that the status shows, the oldest first. */
const SHOWN = 100;

/** What `adb-proxy status` adds to what every service says. `now`: of the same clock as the service's. */
export function statusOf(service: RelayService, now: number): object {
  const { admission, gates, bytes, broken, refused, targets, targetState } = service;
  return {
    targets: targets.map(targetText),
    target: targetState,
    open: admission.open,
    maxConnections: admission.limits.total,
    maxPerSource: admission.limits.perSource,
    bytesFromClients: bytes.fromClient,
    bytesFromTargets: bytes.fromTarget,
    broken,
    listeners: gates.map(({ name, state, accepted, spec }) => ({
      at: name,
      from: spec.from?.texts ?? [],
      state,
      accepted,
    })),
    refused: Object.entries(refused).map(([reason, count]) => ({
      reason,
      count,
      meaning: REFUSALS[reason as Refusal],
    })),
    connections: [...service.open].slice(0, SHOWN).map(({ exchange, gate, since }) => ({
      source: exchange.source,
      at: gate.name,
      target: exchange.target === undefined ? 'connecting' : targetText(exchange.target),
      sec: Math.floor((now - since) / 1000),
      ...exchange.bytes,
    })),
  };
}
