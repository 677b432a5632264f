import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Who may import whom (CONTRIBUTING.md). A tag without a row here is a project without limits: add the row. */
const LAYERS = [
  { sourceTag: 'layer:pure', onlyDependOnLibsWithTags: ['layer:pure'] },
  { sourceTag: 'layer:kernel', onlyDependOnLibsWithTags: ['layer:kernel', 'layer:pure'] },
  { sourceTag: 'layer:runtime', onlyDependOnLibsWithTags: ['layer:runtime', 'layer:kernel', 'layer:pure'] },
  { sourceTag: 'layer:app', onlyDependOnLibsWithTags: ['layer:runtime', 'layer:kernel', 'layer:pure'] },
  {
    sourceTag: 'layer:test',
    onlyDependOnLibsWithTags: ['layer:test', 'layer:app', 'layer:runtime', 'layer:kernel', 'layer:pure'],
  },
];

const PURE = ['libs/base', 'libs/wire', 'libs/proto', 'libs/datapath', 'libs/ports'];
const PURE_SOURCES = PURE.map((dir) => `${dir}/src/**/*.ts`);
const TESTS = ['**/*.test.ts'];

const EFFECTS = ['process', 'Buffer', 'Date', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'];
const TESTING = { group: ['@pp/*/testing'], message: 'Only tests and test/ import testing code.' };

export default tseslint.config(
  { ignores: ['**/dist', '**/node_modules', '**/.nx', 'libs/proto/src/gen', '**/*.cjs', '**/*.mjs'] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': ['error', { allow: [], depConstraints: LAYERS }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' },
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
      ],
    },
  },
  {
    files: ['{apps,libs}/**/src/**/*.ts'],
    ignores: [...TESTS, '**/testing/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [TESTING] }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['apps/*/src/**/*.ts'],
    ignores: ['apps/*/src/main.ts', 'apps/*/src/wiring.ts', '**/testing/**', ...TESTS],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            TESTING,
            {
              group: ['@pp/native', '@pp/netlink', '@pp/linux'],
              message: 'Only main.ts and wiring.ts see kernel libraries; take a port instead.',
              allowTypeImports: true,
            },
          ],
        },
      ],
    },
  },
  {
    files: ['**/testing/**', ...TESTS],
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' }, // rows type their functions already
  },
  {
    files: PURE_SOURCES,
    ignores: TESTS,
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['node:*'], message: 'Pure code: values in, values out.' }] },
      ],
      'no-restricted-globals': ['error', ...EFFECTS],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Randomness is injected.' },
      ],
    },
  },
);
