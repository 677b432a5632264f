/** Put here by tools/bundle.ts; absent when run from source. */
declare const __PP_VERSION__: string | undefined;

/** The version of the app that this code is part of. */
export const VERSION = typeof __PP_VERSION__ === 'string' ? __PP_VERSION__ : '0.0.0-source';
