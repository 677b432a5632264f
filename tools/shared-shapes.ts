import ts from 'typescript';

/** The prototype that a literal has anyway. */
const FIRST = '__proto__:Object.prototype,';

/**
 * The same program, in which no object literal that adds properties begins with a spread. Node 20's V8 gives each object that `{...a, b}`
 * makes a hidden class of its own: 1 to 3 us to make it, and all code that it meets becomes slow. Of `{b, ...a}` and `{first, ...a, b}` all
 * objects share one.
 */
export function withSharedShapes(code: string): string {
  const places: number[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isObjectLiteralExpression(node)) {
      const [first, second] = node.properties;
      if (first !== undefined && second !== undefined && ts.isSpreadAssignment(first))
        places.push(first.getStart(source));
    }
    ts.forEachChild(node, visit);
  };
  const source = ts.createSourceFile('bundle.js', code, ts.ScriptTarget.ESNext, false, ts.ScriptKind.JS);
  visit(source);
  places.sort((a, b) => a - b);
  return [0, ...places].map((at, i) => (i === 0 ? '' : FIRST) + code.slice(at, places[i])).join('');
}
