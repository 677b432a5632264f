import type { ArgSpec, InterfaceSpec, MethodSpec, SignalSpec } from './spec';

const DOCTYPE =
  '<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"\n' +
  ' "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">';

/** The introspection document of one object (D-Bus Specification, "Introspection Data Format"). */
export function introspectionXml(interfaces: readonly InterfaceSpec[], children: readonly string[]): string {
  const lines = [
    DOCTYPE,
    '<node>',
    ...interfaces.flatMap(interfaceLines),
    ...children.map((name) => `  <node name="${escape(name)}"/>`),
    '</node>',
  ];
  return `${lines.join('\n')}\n`;
}

function interfaceLines({ name, methods, signals = [] }: InterfaceSpec): string[] {
  const members = [...methods.flatMap(methodLines), ...signals.flatMap(signalLines)];
  return [`  <interface name="${escape(name)}">`, ...members, '  </interface>'];
}

function methodLines(method: MethodSpec): string[] {
  const annotations = Object.entries(method.annotations ?? {}).map(
    ([name, value]) => `      <annotation name="${escape(name)}" value="${escape(value)}"/>`,
  );
  const args = [...method.in.map(argLine(' direction="in"')), ...method.out.map(argLine(' direction="out"'))];
  return [`    <method name="${escape(method.name)}">`, ...args, ...annotations, '    </method>'];
}

function signalLines({ name, args }: SignalSpec): string[] {
  return [`    <signal name="${escape(name)}">`, ...args.map(argLine('')), '    </signal>'];
}

function argLine(direction: string): (arg: ArgSpec) => string {
  return ({ name, type }) => `      <arg name="${escape(name)}" type="${escape(type)}"${direction}/>`;
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
