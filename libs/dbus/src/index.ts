export { type Bus, type SignalToEmit } from './bus';
export { busTask } from './bus-task';
export type { CallReply, CallRequest } from './calls';
export { connectBus, type BusOptions } from './connect';
export type { Credentials } from './credentials';
export { DBUS_ERROR, DBusError } from './errors';
export type { MatchRule } from './match-rule';
export type { OwnerHandler } from './names';
export type { AdmissionLimits, Load } from './server/admission';
export type {
  ArgSpec,
  Handlers,
  InterfaceSpec,
  MethodCall,
  MethodHandler,
  MethodSpec,
  Reply,
  SignalSpec,
} from './server/spec';
export type { Signal, SignalHandler, Unsubscribe } from './signals';
export { Variant, type Body } from './wire/values';
