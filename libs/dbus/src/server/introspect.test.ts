import { introspectionXml } from './introspect';

test('methods, signals, annotations and children, with what XML needs escaped', () => {
  const xml = introspectionXml(
    [
      {
        name: 'a.b',
        methods: [
          {
            name: 'Get',
            in: [{ name: 'key', type: 's' }],
            out: [{ name: 'value', type: 'a{sv}' }],
            annotations: { 'x.Doc': 'a < b & "c"' },
          },
        ],
        signals: [{ name: 'Rang', args: [{ name: 'bell', type: 'ay' }] }],
      },
    ],
    ['child'],
  );
  expect(xml.split('\n').slice(2)).toEqual([
    '<node>',
    '  <interface name="a.b">',
    '    <method name="Get">',
    '      <arg name="key" type="s" direction="in"/>',
    '      <arg name="value" type="a{sv}" direction="out"/>',
    '      <annotation name="x.Doc" value="a &lt; b &amp; &quot;c&quot;"/>',
    '    </method>',
    '    <signal name="Rang">',
    '      <arg name="bell" type="ay"/>',
    '    </signal>',
    '  </interface>',
    '  <node name="child"/>',
    '</node>',
    '',
  ]);
});
