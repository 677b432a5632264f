/** Only translates TypeScript; types are the business of `nx typecheck`. */
module.exports = require('ts-jest').default.createTransformer({
  diagnostics: false,
  tsconfig: {
    target: 'es2023',
    module: 'commonjs',
    moduleResolution: 'node10',
    isolatedModules: true,
    esModuleInterop: true,
    allowImportingTsExtensions: false,
    verbatimModuleSyntax: false,
    sourceMap: true,
    inlineSources: true,
  },
});
